package sdk

import "fmt"

// MaxID is the greatest length of a container ID, in bytes.
const MaxID = 128

// ValidateID says whether id can name a container: letters, digits and "_.+-", starting with a
// letter or digit, at most MaxID bytes. These are the letters that runc and crun both take; crun
// 1.8 itself refuses only "/" and looks outside its root for "..". The error is an ErrInvalid.
func ValidateID(id string) error {
	switch {
	case id == "":
		return Mark(fmt.Errorf("container ID is empty"), ErrInvalid)
	case len(id) > MaxID:
		return Mark(fmt.Errorf("container ID has %d characters, at most %d are allowed", len(id), MaxID), ErrInvalid)
	}
	for i := range len(id) {
		if !isIDLetter(id[i], i == 0) {
			return Mark(fmt.Errorf("container ID %q: only letters, digits and \"_.+-\" are allowed, starting with a letter or digit", id), ErrInvalid)
		}
	}
	return nil
}

func isIDLetter(c byte, first bool) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	case c == '_', c == '.', c == '+', c == '-':
		return !first
	}
	return false
}
