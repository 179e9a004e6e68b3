package state

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/berth-hpc/berth/sdk"
)

// Of two who create or delete one container at the same moment one wins and the other is told.
func TestCreateAndDeleteAtOnce(t *testing.T) {
	const rounds = 200
	r := open(t, place(t))
	for range rounds {
		var created, deleted counter
		atOnce(4, func(int) {
			d, err := r.Create(record(t, "x"))
			if created.count(t, err, sdk.ErrExists) {
				d.Close()
			}
		})
		atOnce(4, func(int) { deleted.count(t, deleteContainer(r, "x"), sdk.ErrNotFound) })
		if created.n != 1 || deleted.n != 1 {
			t.Fatalf("created %d, deleted %d times", created.n, deleted.n)
		}
	}
	if left := list(t, r.Path()); len(left) != 0 {
		t.Errorf("left %q", left)
	}
}

// Everything at once, on one ID: nothing but the kinds that are promised, and nothing left.
func TestEverythingAtOnce(t *testing.T) {
	const rounds = 60
	p := place(t)
	atOnce(6, func(i int) {
		r, err := Open(p)
		if err != nil {
			t.Error(err)
			return
		}
		defer r.Close()
		for range rounds {
			var err error
			switch i % 3 {
			case 0:
				var d *Dir
				if d, err = r.Create(deadRecord(t, "x")); err == nil {
					d.Close()
				}
			case 1:
				err = deleteContainer(r, "x")
			case 2:
				_, err = r.Sweep(Budget{10, 10_000})
			}
			if err != nil && !errors.Is(err, sdk.ErrExists) && !errors.Is(err, sdk.ErrNotFound) {
				t.Error(err)
			}
		}
	})
	r := open(t, p)
	_, err := r.Sweep(Budget{10, 10_000})
	must(t, err)
	if left := list(t, r.Path()); len(left) != 0 {
		t.Errorf("left %q", left)
	}
}

func TestManyProcessesCreate(t *testing.T) {
	const processes, each = 8, 16 // 128
	p := place(t)
	atOnce(processes, func(i int) {
		cmd := child(t, "creators", "BERTH_TEST_SYSTEM="+p.System, "BERTH_TEST_N="+strconv.Itoa(each), "BERTH_TEST_PREFIX="+fmt.Sprint("p", i))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
	r := open(t, p)
	ids, err := r.IDs()
	must(t, err)
	if len(ids) != processes*each || len(r.homes) != 1 {
		t.Errorf("%d containers in %d homes, want %d in 1", len(ids), len(r.homes), processes*each)
	}
	var removed counter
	atOnce(8, func(int) {
		n, err := r.Sweep(Budget{1000, 10_000})
		removed.add(n)
		if err != nil {
			t.Error(err)
		}
	})
	if left := list(t, r.Path()); removed.n != processes*each || len(left) != 0 {
		t.Errorf("sweeps removed %d, left %q", removed.n, left)
	}
}

// createAndReport makes N containers at once and leaves them to their death: its own.
func createAndReport() {
	n, err := strconv.Atoi(os.Getenv("BERTH_TEST_N"))
	check(err)
	atOnce(n, func(i int) {
		r, err := Open(Place{System: os.Getenv("BERTH_TEST_SYSTEM"), UID: os.Geteuid()})
		check(err)
		rec, err := NewRecord(os.Getpid())
		check(err)
		rec.ID = fmt.Sprint(os.Getenv("BERTH_TEST_PREFIX"), "-", i)
		_, err = r.Create(rec)
		check(err)
	})
}

// Whenever a process is killed, a sweep finds what it left.
func TestKilledAtAnyPoint(t *testing.T) {
	const rounds = 60
	p := place(t)
	r := open(t, p)
	for range rounds {
		cmd := child(t, "churn", "BERTH_TEST_SYSTEM="+p.System)
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		if _, err := bufio.NewReader(out).ReadByte(); err != nil {
			t.Errorf("the child did not begin: %v", err)
		}
		time.Sleep(rand.N(3 * time.Millisecond)) // anywhere in its work
		cmd.Process.Kill()
		cmd.Wait()
		if _, err := r.Sweep(Budget{100, 10_000}); err != nil {
			t.Error(err)
		}
		if left := list(t, r.Path()); len(left) != 0 {
			t.Fatalf("left %q", left)
		}
	}
}

// churn makes and removes a container for ever.
func churn() {
	r, err := Open(Place{System: os.Getenv("BERTH_TEST_SYSTEM"), UID: os.Geteuid()})
	check(err)
	os.Stdout.WriteString("\n")
	for {
		_, remove, err := r.Scratch()
		check(err)
		rec, err := NewRecord(os.Getpid())
		check(err)
		rec.ID = "x"
		d, err := r.Create(rec)
		check(err)
		_, err = d.RuntimeRoot()
		check(err)
		check(d.WriteFile("config.json", []byte("{}")))
		check(d.WriteRecord(rec))
		check(remove())
		check(d.Remove())
		d.Close()
	}
}

func deleteContainer(r *Root, id string) error {
	d, err := r.Find(id)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Lock(context.Background()); err != nil {
		return err
	}
	return d.Remove()
}

func atOnce(n int, work func(i int)) {
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { work(i) })
	}
	group.Wait()
}

type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += n
}

// count counts a success and lets pass one kind of error.
func (c *counter) count(t *testing.T, err, allowed error) bool {
	if err == nil {
		c.add(1)
		return true
	}
	if !errors.Is(err, allowed) {
		t.Errorf("%v, want nil or %v", err, allowed)
	}
	return false
}
