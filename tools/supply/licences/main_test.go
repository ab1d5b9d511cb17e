package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const isc = `Copyright (c) 2020, Somebody

Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted, provided that the above copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
`

func TestAModuleIsInOrderOnlyWithALicenceThatIsOnTheList(t *testing.T) {
	for name, test := range map[string]struct{ file, text, says string }{
		"on the list":      {"LICENSE.md", isc, ""},
		"none":             {"README", isc, "no licence file"},
		"unknown":          {"LICENSE", "You may not.\n", "only 0 %"},
		"not on the list":  {"COPYING", strings.Replace(isc, ", provided that the above copyright notice and this permission notice appear in all copies", "", 1), "0BSD is not on the list"},
		"one that is more": {"LICENSE", isc + strings.Repeat("And pay a thousand coins to whoever asks, each day anew.\n", 100), "is known"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, test.file), []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			wrong, err := check(strings.NewReader("example.com/m\tv1.0.0\t"+dir+"\n"), &out)
			if err != nil || (wrong > 0) != (test.says != "") || !strings.Contains(out.String(), test.says) {
				t.Errorf("%d wrong, %v: %s", wrong, err, &out)
			}
		})
	}
	if _, err := check(strings.NewReader(""), &strings.Builder{}); err == nil {
		t.Error("nothing was checked, and that was in order")
	}
}
