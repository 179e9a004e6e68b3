package probe

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"
)

func TestComparer(t *testing.T) {
	const n = 3*4096 + 16
	sent, err := io.ReadAll(Stream(n))
	if err != nil || len(sent) != n {
		t.Fatalf("%d bytes: %v", len(sent), err)
	}
	changed := bytes.Clone(sent)
	changed[n-1]++
	for name, c := range map[string]struct {
		from io.Reader
		want string
	}{
		"all":     {bytes.NewReader(sent), Unaltered(n)},
		"in bits": {iotest.OneByteReader(bytes.NewReader(sent)), Unaltered(n)},
		"nothing": {bytes.NewReader(nil), Unaltered(0)},
		"less":    {bytes.NewReader(sent[:5000]), Unaltered(5000)},
		"changed": {bytes.NewReader(changed), "12304 bytes, altered"},
		"lost":    {bytes.NewReader(sent[1:]), "12303 bytes, altered"},
	} {
		var got Comparer
		if _, err := io.Copy(&got, c.from); err != nil || got.String() != c.want {
			t.Errorf("%s: %q instead of %q, %v", name, got.String(), c.want, err)
		}
	}
}
