package test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/berth-hpc/berth/sdk"
)

// preparer is a driver that imports an image for all tasks of a step, and notes down what it is asked.
type preparer struct{ settings *preparerSettings }

type preparerSettings struct {
	Notes string `json:"notes" doc:"file that takes a line for each call"`
	Fault string `json:"fault" doc:"what goes wrong in Prepare: hang-once, fail, not-found or slow"`
}

// Settings implements sdk.Configurer.
func (p *preparer) Settings() any { return p.settings }

// Run implements sdk.Driver: the task prints the image.
func (p *preparer) Run(_ context.Context, c *sdk.Container) (*sdk.Command, error) {
	image := filepath.Join(c.Step.Dir, "image")
	if _, err := os.Stat(image); err != nil {
		return nil, fmt.Errorf("the image is not there: %w", err)
	}
	return &sdk.Command{Path: "/bin/cat", Args: []string{"cat", image}, Env: []string{"PATH=/usr/bin:/bin"}}, nil
}

// Prepare implements sdk.Preparer.
func (p *preparer) Prepare(ctx context.Context, c *sdk.Container, progress func(sdk.Progress)) error {
	if err := p.note("prepare"); err != nil {
		return err
	}
	const total = 1 << 20
	progress(sdk.Progress{Text: "importing image", Total: total})
	switch p.settings.Fault {
	case "hang-once":
		hung := p.settings.Notes + ".hung"
		if _, err := os.Stat(hung); err != nil {
			if err := os.WriteFile(hung, nil, 0o600); err != nil {
				return err
			}
			<-ctx.Done()
			return ctx.Err()
		}
	case "not-found":
		return fmt.Errorf("there is no such image: %w", sdk.ErrNotFound)
	case "fail":
		return sdk.WithAdvice(errors.New("there is no such image"), "look at the registry")
	case "slow":
		for done := int64(0); done < total; done += total / 64 {
			progress(sdk.Progress{Text: "importing image", Done: done, Total: total})
			time.Sleep(10 * time.Millisecond) // what takes long is the point
		}
	}
	progress(sdk.Progress{Text: "importing image", Done: total, Total: total})
	return os.WriteFile(filepath.Join(c.Step.Dir, "image"), []byte("image\n"), 0o600)
}

// Release implements sdk.Preparer.
func (p *preparer) Release(_ context.Context, s *sdk.Step) error {
	if err := p.note("release " + s.Step); err != nil {
		return err
	}
	err := os.Remove(filepath.Join(s.Dir, "image"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func (p *preparer) note(text string) error {
	f, err := os.OpenFile(p.settings.Notes, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintln(f, text)
	return err
}
