package trust

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os"
)

// Digest returns the SHA-256 of all of f in lower-case hexadecimal. It reads through the
// descriptor, from the start wherever the file offset is, and leaves the offset alone: execute the
// same descriptor and what runs is what was hashed.
func Digest(f *os.File) (string, error) {
	hash := sha256.New()
	if _, err := io.Copy(hash, io.NewSectionReader(f, 0, math.MaxInt64)); err != nil {
		return "", fmt.Errorf("hashing %q: %w", f.Name(), err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
