package sdk

import "errors"

// The kinds of error. They keep their identity between driver and host: where a driver returns
// an error that wraps ErrNotFound, errors.Is(err, ErrNotFound) holds in the host.
var (
	ErrNotFound    = errors.New("not found")      // no container of this ID
	ErrExists      = errors.New("already exists") // the ID is taken
	ErrInvalid     = errors.New("invalid")        // the request, the bundle or a setting makes no sense
	ErrState       = errors.New("wrong state")    // the container is not in a state that allows it
	ErrUnsupported = errors.New("not supported")  // the driver or its runtime cannot do this at all
	ErrUnavailable = errors.New("not available")  // it could, but not on this node as it is now

	// ErrUnprepared: the work that the step's tasks share has not been done. The host has it done by
	// Prepare and asks again. Package plugin says so for a Preparer; a driver never need.
	ErrUnprepared = errors.New("not prepared")
)

// Kinds returns every kind of error, the more telling before the less. An error that is of none
// of them is a fault of the driver's own.
func Kinds() []error {
	return []error{ErrNotFound, ErrExists, ErrInvalid, ErrState, ErrUnsupported, ErrUnavailable, ErrUnprepared}
}

// Kind returns the first of Kinds that err wraps, or nil.
func Kind(err error) error {
	for _, kind := range Kinds() {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return nil
}

// Mark gives err a kind without changing its text: where the text already says what the kind
// would. It returns nil when err is nil.
func Mark(err, kind error) error {
	if err == nil {
		return nil
	}
	return &marked{err: err, kind: kind}
}

type marked struct{ err, kind error }

func (m *marked) Error() string   { return m.err.Error() }
func (m *marked) Unwrap() []error { return []error{m.err, m.kind} }

// WithAdvice adds one line that says what to do about err, for the person who can: the host
// prints it below the error. The outermost advice of a chain counts. It returns nil when err is nil.
func WithAdvice(err error, advice string) error {
	if err == nil {
		return nil
	}
	return &advised{err: err, advice: advice}
}

// Advice returns the advice that err carries, or "".
func Advice(err error) string {
	var a *advised
	if errors.As(err, &a) {
		return a.advice
	}
	return ""
}

type advised struct {
	err    error
	advice string
}

func (a *advised) Error() string { return a.err.Error() }
func (a *advised) Unwrap() error { return a.err }

// SettingError is an ErrInvalid about one key of the driver's table. The host shows the file and
// line of that key.
type SettingError struct {
	Key string // as written in berth.toml, below the driver's table: "runtime"
	Err error
}

func (e *SettingError) Error() string   { return "setting " + e.Key + ": " + e.Err.Error() }
func (e *SettingError) Unwrap() []error { return []error{e.Err, ErrInvalid} }
