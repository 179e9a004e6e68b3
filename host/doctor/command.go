package doctor

import "strings"

// command takes the command from the advice of an error of berth's own, "run: chmod go-w X" or "run
// as root: install -d X"; it is empty where the advice is none.
func command(advice string) string {
	for _, prefix := range [...]string{"run: ", "run as root: "} {
		if command, ok := strings.CutPrefix(advice, prefix); ok {
			return command
		}
	}
	return ""
}

// firstOffer takes the first of what a driver advises: "umount X" of "umount X, or boot with Y".
// Drivers write for people, so it may be an instruction that is no command.
func firstOffer(advice string) string {
	if command := command(advice); command != "" {
		return command
	}
	first, _, _ := strings.Cut(advice, ", or ")
	return first
}

// quote writes a word for a shell.
func quote(word string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-"
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
