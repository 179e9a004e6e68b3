package wire

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/berth-hpc/berth/sdk"
	pb "github.com/berth-hpc/berth/sdk/internal/wire/driverv1"
)

// errorDomain is the domain of the google.rpc.ErrorInfo that every error of a driver carries.
const errorDomain = "berth.driver.v1"

// maxErrorText bounds the text of an error on the wire, in bytes: gRPC sends it in a header.
const maxErrorText = 4096

// kinds is the one table of error kinds on the wire. The order is sdk.Kinds's.
func kinds() []errorKind {
	return []errorKind{
		{sdk.ErrNotFound, "NOT_FOUND", codes.NotFound},
		{sdk.ErrExists, "EXISTS", codes.AlreadyExists},
		{sdk.ErrInvalid, "INVALID", codes.InvalidArgument},
		{sdk.ErrState, "STATE", codes.FailedPrecondition},
		{sdk.ErrUnsupported, "UNSUPPORTED", codes.Unimplemented},
		{sdk.ErrUnavailable, "UNAVAILABLE", codes.Unavailable},
		{sdk.ErrUnprepared, "UNPREPARED", codes.FailedPrecondition},
	}
}

type errorKind struct {
	err    error
	reason string
	code   codes.Code
}

// toStatus turns a driver's error into a gRPC status: the kind as code and as reason of an
// ErrorInfo, the text word for word but for its length and what is not UTF-8.
func toStatus(err error) error {
	if err == nil {
		return nil
	}
	code, reason := kindOf(err)
	info := &errdetails.ErrorInfo{Domain: errorDomain, Reason: reason, Metadata: map[string]string{}}
	if advice := sdk.Advice(err); advice != "" {
		info.Metadata["advice"] = clip(advice)
	}
	if key := settingOf(err); key != "" {
		info.Metadata["setting"] = key
	}
	st, detailErr := status.New(code, clip(err.Error())).WithDetails(info)
	if detailErr != nil {
		return status.Error(code, clip(err.Error()))
	}
	return st.Err()
}

// fromStatus turns what a call returned into the error that the driver meant. Errors that are not
// the driver's own words come back as they are, for the client to say what happened to the driver.
func fromStatus(err error) error {
	st, ok := status.FromError(err)
	if err == nil || !ok {
		return err
	}
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetDomain() == errorDomain {
			return fromInfo(st.Message(), info)
		}
	}
	if st.Code() == codes.Unimplemented { // a method that the driver's service does not have
		return sdk.Mark(errors.New("the driver does not do this"), sdk.ErrUnsupported)
	}
	return &TransportError{code: st.Code(), text: st.Message()}
}

func fromInfo(text string, info *errdetails.ErrorInfo) error {
	data := info.GetMetadata()
	return failure(text, info.GetReason(), data["advice"], data["setting"])
}

// failure gives a driver's text the kind, the advice and the setting that came with it.
func failure(text, reason, advice, setting string) error {
	err := errors.New(printable(text))
	if setting != "" {
		why := errors.New(strings.TrimPrefix(printable(text), "setting "+setting+": "))
		err = sdk.Mark(err, &sdk.SettingError{Key: printable(setting), Err: why})
	}
	for _, k := range kinds() {
		if k.reason == reason {
			err = sdk.Mark(err, k.err)
			break
		}
	}
	if advice != "" {
		err = sdk.WithAdvice(err, printable(advice))
	}
	return err
}

func toFailure(err error) *pb.Failure {
	if err == nil {
		return nil
	}
	_, reason := kindOf(err)
	return &pb.Failure{Text: clip(err.Error()), Advice: clip(sdk.Advice(err)), Kind: reason, Setting: settingOf(err)}
}

func fromFailure(f *pb.Failure) error {
	if f == nil {
		return nil
	}
	return failure(f.GetText(), f.GetKind(), f.GetAdvice(), f.GetSetting())
}

func kindOf(err error) (codes.Code, string) {
	for _, k := range kinds() {
		if errors.Is(err, k.err) {
			return k.code, k.reason
		}
	}
	return codes.Unknown, ""
}

func settingOf(err error) string {
	var setting *sdk.SettingError
	if !errors.As(err, &setting) {
		return ""
	}
	return clip(setting.Key)
}

// TransportError is a call that ended without an answer of the driver's: it died, or it sent what
// is no answer.
type TransportError struct {
	code codes.Code
	text string
}

func (e *TransportError) Error() string { return fmt.Sprintf("%s: %s", e.code, e.text) }

// Broken says whether the connection is gone.
func (e *TransportError) Broken() bool { return e.code == codes.Unavailable }

// Late says whether the time for the call was over.
func (e *TransportError) Late() bool { return e.code == codes.DeadlineExceeded }

// clip makes text fit for the wire: valid UTF-8 of bounded length.
func clip(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= maxErrorText {
		return text
	}
	cut := maxErrorText
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
