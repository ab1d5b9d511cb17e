package prefs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

// newToken is the string that compare.py expects.
const newToken = "made-up & <new> 居間 🎬"

// rebound returns a document as an offline rebind leaves it.
func rebound(t *testing.T, data []byte) *prefs.PropertyList {
	t.Helper()
	p := parsePlist(t, data)
	for _, err := range []error{p.Delete(prefs.BindingKeys()...), p.Set(prefs.KeyToken, newToken), p.Set(prefs.KeyHome, "1")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// program returns where a program is, or skips the test.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("NOT RUN: %s is not installed", name)
	}
	return path
}

func write(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func TestPythonReadsEditedPlistsAsTheyWereMeant(t *testing.T) {
	python := program(t, "python3")
	dir := t.TempDir()
	var want []string
	for _, s := range editablePlists(t) {
		write(t, filepath.Join(dir, s.name+".before"), s.data)
		write(t, filepath.Join(dir, s.name+".after"), rebound(t, s.data).Bytes())
		verdict := "same "
		switch s.name {
		// Dates that Python has none for; fractions, negative hexadecimals and a document type first, which it does not know in XML.
		case "binary-dates-out-of-range", "xml-dates-with-fractions", "xml-integers-hexadecimal", "xml-no-declaration":
			verdict = "unreadable "
		}
		want = append(want, verdict+s.name)
	}
	got := strings.Fields(run(t, python, filepath.Join("testdata", "plist", "compare.py"), dir))
	if wanted := strings.Fields(strings.Join(want, " ")); !slices.Equal(got, wanted) {
		t.Errorf("python3 says\n%q, want\n%q", got, wanted)
	}
}

// usualWriters are documents of which other writers make what this package must read.
var usualWriters = []string{"binary-usual", "xml-usual", "binary-integers", "xml-nested", "binary-over-256-objects", "binary-utf16", "binary-long", "xml-comments"}

func TestPlistsThatPythonWritesAreRead(t *testing.T) {
	python := program(t, "python3")
	const script = `import plistlib, sys
for name in sys.argv[3:]:
    with open(f"{sys.argv[1]}/{name}.plist", "rb") as f: values = plistlib.load(f)
    for form in "XML", "BINARY":
        with open(f"{sys.argv[2]}/{name}.{form}", "wb") as f: plistlib.dump(values, f, fmt=getattr(plistlib, "FMT_" + form), sort_keys=False)`
	corpus, dir := filepath.Join("testdata", "plist", "corpus"), t.TempDir()
	run(t, python, append([]string{"-c", script, corpus, dir}, usualWriters...)...)
	for _, name := range usualWriters {
		for _, form := range []string{"XML", "BINARY"} {
			checkWritten(t, filepath.Join(corpus, name+".plist"), filepath.Join(dir, name+"."+form))
		}
	}
}

// checkWritten wants a file to say the same as the one that it was made of, and to be edited as well.
func checkWritten(t *testing.T, source, target string) {
	t.Helper()
	written := parsePlist(t, read(t, target))
	if diff := prefs.Diff(parsePlist(t, read(t, source)), written); diff != nil {
		t.Errorf("%s differs from %s in %q", target, source, diff)
	}
	rebound(t, written.Bytes())
}

// plistutil is of libplist, which is for reading what Apple's devices write and shares no code with Python's nor with howett's reader.
func TestPlistutilReadsEditedPlistsAsTheyWereMeant(t *testing.T) {
	plistutil := program(t, "plistutil")
	for _, s := range editablePlists(t) {
		switch s.name {
		case "binary-control-characters", "binary-dates", "binary-dates-out-of-range", "binary-data-and-uid":
			continue // It writes characters that XML excludes, dates that are none, and nothing at all where a UID has more than 4 bytes.
		}
		t.Run(s.name, func(t *testing.T) {
			want := converted(t, plistutil, s.data)
			for _, key := range prefs.BindingKeys() {
				delete(want, key)
			}
			want[prefs.KeyToken], want[prefs.KeyHome] = newToken, true
			if got := converted(t, plistutil, rebound(t, s.data).Bytes()); !sameValues(got, want) {
				t.Errorf("plistutil sees\n%#v, want\n%#v", got, want)
			}
		})
	}
}

// converted is what plistutil makes of a list in XML, as howett's reader reads that.
func converted(t *testing.T, plistutil string, data []byte) map[string]any {
	t.Helper()
	dir := t.TempDir()
	source, target := filepath.Join(dir, "source"), filepath.Join(dir, "target")
	write(t, source, data)
	run(t, plistutil, "-i", source, "-f", "xml", "-o", target)
	values, _ := otherReading(t, read(t, target))
	return values
}

func TestPlistsThatPlistutilWritesAreRead(t *testing.T) {
	plistutil := program(t, "plistutil")
	for _, form := range []string{"xml", "bin"} {
		for _, name := range usualWriters {
			source, target := filepath.Join("testdata", "plist", "corpus", name+".plist"), filepath.Join(t.TempDir(), "written")
			run(t, plistutil, "-i", source, "-f", form, "-o", target)
			checkWritten(t, source, target)
		}
	}
}
