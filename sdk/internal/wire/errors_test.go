package wire

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/berth-hpc/berth/sdk"
)

// ways are the two forms of an error on the wire.
func ways() map[string]func(error) error {
	return map[string]func(error) error{
		"status":  func(err error) error { return fromStatus(toStatus(err)) },
		"failure": func(err error) error { return fromFailure(toFailure(err)) },
	}
}

func TestErrorsKeepTheirKind(t *testing.T) {
	if len(kinds()) != len(sdk.Kinds()) {
		t.Fatalf("%d kinds on the wire, %d in the SDK", len(kinds()), len(sdk.Kinds()))
	}
	for way, send := range ways() {
		for i, kind := range sdk.Kinds() {
			if kinds()[i].err != kind {
				t.Errorf("the order differs at %v", kind)
			}
			for form, err := range map[string]error{
				"bare":    kind,
				"wrapped": fmt.Errorf("doing this: %w", kind),
				"marked":  sdk.Mark(errors.New("what happened"), kind),
				"advised": sdk.WithAdvice(fmt.Errorf("doing that: %w", kind), "do something else"),
				"setting": &sdk.SettingError{Key: "runtime", Err: sdk.WithAdvice(kind, "set it")},
				"deep":    fmt.Errorf("configuring: %w", &sdk.SettingError{Key: "a.b", Err: kind}),
			} {
				t.Run(way+"/"+kind.Error()+"/"+form, func(t *testing.T) { same(t, err, send(err)) })
			}
		}
		t.Run(way+"/no kind", func(t *testing.T) { same(t, errors.New("just so"), send(errors.New("just so"))) })
		if send(nil) != nil {
			t.Errorf("%s: no error became one", way)
		}
	}
}

func same(t *testing.T, want, got error) {
	t.Helper()
	if got.Error() != want.Error() {
		t.Errorf("text %q, want %q", got, want)
	}
	if !errors.Is(got, sdk.Kind(want)) && sdk.Kind(want) != nil || sdk.Kind(got) != sdk.Kind(want) {
		t.Errorf("kind %v, want %v", sdk.Kind(got), sdk.Kind(want))
	}
	if sdk.Advice(got) != sdk.Advice(want) {
		t.Errorf("advice %q, want %q", sdk.Advice(got), sdk.Advice(want))
	}
	var wantSetting, gotSetting *sdk.SettingError
	if errors.As(want, &wantSetting) != errors.As(got, &gotSetting) {
		t.Fatalf("a SettingError was lost or made up: %#v", got)
	}
	if wantSetting != nil && gotSetting.Key != wantSetting.Key {
		t.Errorf("setting %q, want %q", gotSetting.Key, wantSetting.Key)
	}
	if wantSetting != nil && !errors.Is(got, sdk.ErrInvalid) {
		t.Error("a SettingError that is no ErrInvalid")
	}
}

func TestErrorTextIsTamed(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"not UTF-8", "bad \xff byte", "bad \uFFFD byte"},
		{"escape codes", "a\x1b[31m\n\x00b", `a\x1b[31m\n\x00b`},
		{"10 KiB", strings.Repeat("ä", 5<<10), strings.Repeat("ä", maxErrorText/2) + "…"},
		{"percent", "100 %s done", "100 %s done"},
	}
	for way, send := range ways() {
		for _, tt := range tests {
			t.Run(way+"/"+tt.name, func(t *testing.T) {
				got := send(sdk.WithAdvice(sdk.Mark(errors.New(tt.text), sdk.ErrState), tt.text))
				if got.Error() != tt.want || sdk.Advice(got) != tt.want {
					t.Errorf("%.60q with advice %.60q, want %.60q", got, sdk.Advice(got), tt.want)
				}
				if !errors.Is(got, sdk.ErrState) || !utf8.ValidString(got.Error()) {
					t.Error("the kind is lost, or the text is not UTF-8")
				}
			})
		}
	}
}

func TestOtherStatuses(t *testing.T) {
	if err := fromStatus(status.Error(codes.Unimplemented, "unknown method")); !errors.Is(err, sdk.ErrUnsupported) {
		t.Errorf("a method that is not served: %v", err)
	}
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		err := fromStatus(status.Error(code, "text"))
		var transport *TransportError
		if code != codes.Unimplemented && (!errors.As(err, &transport) || sdk.Kind(err) != nil) {
			t.Errorf("%v: %v is taken for the driver's word", code, err)
		}
	}
	reasons := map[string]bool{}
	for _, k := range kinds() {
		reasons[k.reason] = true
	}
	if len(reasons) != len(kinds()) || slices.ContainsFunc(kinds(), func(k errorKind) bool { return k.code == codes.OK }) {
		t.Error("two kinds share a reason, or one is no error")
	}
}
