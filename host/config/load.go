package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/berth-hpc/berth/sdk"
)

// Load reads the configuration from a file. The caller says how it is opened, and so which files
// are trusted. A file that does not exist means the defaults, with an empty Config.Source; every
// other error is one, so that no job runs by a configuration other than the site's.
func Load(open func(name string) (*os.File, error), name string) (*Config, error) {
	file, err := open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return Default(), nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening the configuration: %w", err)
	}
	defer file.Close()
	data, err := read(file)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return Parse(name, data)
}

// read returns the contents of a regular file, MaxSize at most and one byte more.
func read(file *os.File) ([]byte, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, sdk.Mark(errors.New("not a regular file"), sdk.ErrInvalid)
	}
	if info.Size() > MaxSize {
		return nil, sdk.Mark(fmt.Errorf("the file has %d bytes, more than the %d allowed", info.Size(), MaxSize), sdk.ErrInvalid)
	}
	return io.ReadAll(io.LimitReader(file, MaxSize+1))
}
