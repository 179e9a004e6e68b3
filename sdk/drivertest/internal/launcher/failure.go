package launcher

import (
	"errors"
	"slices"

	"github.com/berth-hpc/berth/sdk"
)

// Failure is a driver's error on its way from a launcher to the kit.
type Failure struct {
	Text    string
	Kind    int // 1 + its place in sdk.Kinds; 0 for none
	Setting string
	Advice  string
}

// Fail writes err down; nil for nil.
func Fail(err error) *Failure {
	if err == nil {
		return nil
	}
	f := &Failure{Text: err.Error(), Kind: 1 + slices.Index(sdk.Kinds(), sdk.Kind(err)), Advice: sdk.Advice(err)}
	var setting *sdk.SettingError
	if errors.As(err, &setting) {
		f.Setting = setting.Key
	}
	return f
}

// Err is the error as it was, with its kind, advice and setting.
func (f *Failure) Err() error {
	if f == nil {
		return nil
	}
	err := errors.New(f.Text)
	if f.Setting != "" {
		return &sdk.SettingError{Key: f.Setting, Err: err}
	}
	if kinds := sdk.Kinds(); f.Kind > 0 && f.Kind <= len(kinds) {
		err = sdk.Mark(err, kinds[f.Kind-1])
	}
	if f.Advice != "" {
		err = sdk.WithAdvice(err, f.Advice)
	}
	return err
}
