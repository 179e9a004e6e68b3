// Package tree holds a JSON document as an ordered tree that can be edited at named paths while
// everything else stays as it was written: the order of members, keys nobody knows, and the text
// of numbers.
//
// Parse is stricter than encoding/json, because two programs that read one document must not
// understand different things by it: duplicate keys, invalid UTF-8, lone surrogates, NUL
// characters and anything after the document are errors.
package tree
