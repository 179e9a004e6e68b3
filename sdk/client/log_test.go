package client

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
)

// What a driver wrote before its end is all read, however long nobody had time for it, and whoever still holds
// the pipe.
func TestLogOfAnEnd(t *testing.T) {
	for _, lines := range []int{0, 1, 1000} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		defer w.Close() // as a stray child of the driver's would
		if _, err := w.WriteString(strings.Repeat("x\n", lines) + "the last words\n"); err != nil {
			t.Fatal(err)
		}
		l := newDriverLog(hclog.NewNullLogger())
		l.start(r)
		l.finish()
		l.finish()
		if got := l.lastWords(); got != "the last words" {
			t.Errorf("%d lines: last words %q", lines, got)
		}
	}
}

func TestLog(t *testing.T) {
	tests := []struct{ name, stderr, logged, words string }{
		{"levels", `{"@level":"warn","@message":"careful","b":2,"a":"x y"}` + "\n", "[WARN]  careful: a=\"x y\" b=2\n", ""},
		{"error", `{"@level":"error","@message":"it broke"}` + "\n", "[ERROR] it broke\n", "it broke"},
		{"odd levels", `{"@level":"off","@message":"m"}` + "\n" + `{"@message":"n"}` + "\n", "[DEBUG] m\n[DEBUG] n\n", ""},
		{"text", "plain\n\n", "[DEBUG] plain\n", "plain"},
		{"panic", "panic: boom\n\ngoroutine 1:\n", "[DEBUG] panic: boom\n[DEBUG] goroutine 1:\n", "panic: boom"},
		{"escapes", "\x1b[31mred\n" + `{"@message":"a\u001b","k\n":"v\n"}` + "\n", `[DEBUG] "\x1b[31mred"` + "\n" + `[DEBUG] "a\x1b": "k\n"="\"v\n\""` + "\n", `"\x1b[31mred"`},
		{"late panic", strings.Repeat("x\n", maxLogLines+5) + "panic: boom\n", "", "panic: boom"},
		{"no end of line", strings.Repeat("y", 3*maxLogLine), "", `"` + strings.Repeat("y", 200) + `"…`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			l := newDriverLog(hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: &out, DisableTime: true}))
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			l.start(r)
			if _, err := w.WriteString(tt.stderr); err != nil {
				t.Fatal(err)
			}
			w.Close()
			<-l.done
			if tt.logged != "" && out.String() != tt.logged {
				t.Errorf("logged %q, want %q", out.String(), tt.logged)
			}
			if got := l.lastWords(); got != tt.words {
				t.Errorf("last words %.300q, want %q", got, tt.words)
			}
		})
	}
}
