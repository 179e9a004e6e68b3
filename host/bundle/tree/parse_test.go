package tree

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var testLimits = Limits{Depth: 64, Values: 10000}

func TestParseErrors(t *testing.T) {
	tests := map[string]struct{ source, want string }{
		"empty":             {"", "1:1: the document ends where a value is expected"},
		"truncated":         {`{"a": [1,`, "1:10: the document ends where a value is expected"},
		"truncated string":  {`{"a": "b`, "1:7: the string that begins here has no end"},
		"trailing":          {"{}\n{}", "2:1: there is more after the end of the document"},
		"trailing comma":    {`[1,]`, "1:4: ']' where a value is expected"},
		"comment":           {"{} // no", "1:4: there is more after the end of the document"},
		"duplicate":         {"{\"a\": 1,\n  \"é\": 2, \"a\": 3}", `2:11: duplicate key "a"`},
		"duplicate escaped": {`{"a": 1, "\u0061": 2}`, `1:10: duplicate key "a"`},
		"too deep":          {strings.Repeat("[", 65), "1:65: objects and arrays are nested too deep"},
		"too many":          {"[" + strings.Repeat("0,", 10000) + "0]", "1:20000: the document has too many values"},
		"NUL byte":          {"\"a\x00\"", "1:3: control character U+0000 in a string"},
		"NUL escaped":       {`"a\u0000b"`, "1:3: NUL character in a string"},
		"NUL in a key":      {`{"\u0000": 1}`, "1:3: NUL character in a string"},
		"UTF-8":             {"\"é\xff\"", "1:3: byte 0xFF is not valid UTF-8"},
		"UTF-8 surrogate":   {"\"\xed\xa0\x80\"", "1:2: byte 0xED is not valid UTF-8"},
		"half a pair":       {`"\ud800x"`, "1:2: half a surrogate pair in a string"},
		"wrong pair":        {`"\ud800\u0041"`, "1:2: half a surrogate pair in a string"},
		"newline in string": {"\"a\nb\"", "1:3: control character U+000A in a string"},
		"escape":            {`"\x"`, "1:2: unknown escape sequence in a string"},
		"hex":               {`"\u12g4"`, "1:4: \\u without four hexadecimal digits"},
		"hex at the end":    {`"\u12"`, "1:4: \\u without four hexadecimal digits"},
		"leading zero":      {`01`, "1:2: there is more after the end of the document"},
		"plus":              {`+1`, "1:1: '+' where a value is expected"},
		"fraction":          {`1.`, "1:3: the document ends where a digit is expected"},
		"NaN":               {`NaN`, "1:1: 'N' where a value is expected"},
		"byte order mark":   {"\ufeff{}", "1:1: '\\ufeff' where a value is expected"},
		"no colon":          {`{"a" 1}`, `1:6: '1' where ":" is expected`},
		"bare key":          {`{a: 1}`, "1:2: 'a' where a key in quotes is expected"},
		"single quotes":     {`{'a': 1}`, "1:2: '\\'' where a key in quotes is expected"},
		"no comma":          {`[1 2]`, `1:4: '2' where "," or "]" is expected`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(test.source, testLimits)
			if err == nil || err.Error() != test.want {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}

func TestManyKeysDuplicate(t *testing.T) {
	var source strings.Builder
	source.WriteString("{")
	for c := 'a'; c <= 'z'; c++ {
		source.WriteString(`"` + string(c) + `": 0, `)
	}
	if _, err := Parse(source.String()+`"b": 1}`, testLimits); err == nil {
		t.Error("a duplicate of an early key among many is not found")
	}
	if _, err := Parse(source.String()+`"0": 1}`, testLimits); err != nil {
		t.Error(err)
	}
}

func TestRoundTrip(t *testing.T) {
	const source = `{"z": [1.50, 1E400, -0, 18446744073709551616], "a": {"é\ud83d\ude00\/": "\u001f\"\\\n", "": null}, "t": [true, false, [], {}]}`
	const want = `{
	"z": [
		1.50,
		1E400,
		-0,
		18446744073709551616
	],
	"a": {
		"é😀/": "\u001f\"\\\u000a",
		"": null
	},
	"t": [
		true,
		false,
		[],
		{}
	]
}`
	v, err := Parse(source, testLimits)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(v.AppendJSON(nil))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEdit(t *testing.T) {
	v, err := Parse(`{"a": 1, "b": {"c": ["x", "y"]}, "d": 2}`, testLimits)
	if err != nil {
		t.Fatal(err)
	}
	v.Remove("a")
	v.Remove("missing")
	v.Set("d", NewString("new"))
	v.Set("e", NewObject())
	list := v.Get("b", "c")
	list.Insert(0, NewInt(-7))
	list.RemoveItem(2)
	list.Append(NewBool(true))
	const want = `{"b":{"c":[-7,"x",true]},"d":"new","e":{}}`
	if got := strings.Map(dropSpace, string(v.AppendJSON(nil))); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if v.Get("b", "c", "x").Kind() != Absent || v.Get("no", "thing").Text() != "" {
		t.Error("what is not there has to be absent")
	}
	if offset, ok := v.Get("b").Offset(); !ok || offset != 14 {
		t.Errorf("offset %d, %v, want 14", offset, ok)
	}
	if _, ok := v.Get("e").Offset(); ok {
		t.Error("a value that was made has an offset")
	}
}

func dropSpace(r rune) rune {
	if r == '\n' || r == '\t' || r == ' ' {
		return -1
	}
	return r
}

// FuzzParse holds Parse against encoding/json: what it takes, that takes too and reads as the
// same, and our own serialisation reads as an equal tree.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2.5e3,"\u00e9\ud83d\ude00",null,true]}`, `[[[]]]`, `""`, `{"a":1,"a":2}`, "\"\xff\"", `-0`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		v, err := Parse(source, testLimits)
		if err != nil {
			var at *SyntaxError
			if !errors.As(err, &at) || at.Line < 1 || at.Column < 1 || at.Problem == "" {
				t.Fatalf("error without a position: %v", err)
			}
			return
		}
		ours := v.AppendJSON(nil)
		if diff := cmp.Diff(decode(t, source), decode(t, string(ours))); diff != "" {
			t.Fatalf("our serialisation reads differently:\n%s", diff)
		}
		again, err := Parse(string(ours), testLimits)
		if err != nil {
			t.Fatalf("our serialisation is refused: %v\n%s", err, ours)
		}
		if string(again.AppendJSON(nil)) != string(ours) {
			t.Fatalf("our serialisation changes when read and written again:\n%s", ours)
		}
	})
}

// decode keeps the text of numbers, as Parse does.
func decode(t *testing.T, source string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(source))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("encoding/json refuses what we take: %v\n%q", err, source)
	}
	return v
}
