package prefs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

// specimen is one document of testdata/corpus: name.xml, and as name.want the same without the four binding keys, cut by hand.
type specimen struct {
	name       string
	data, want []byte
}

func corpus(t testing.TB) []specimen {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "corpus", "*.xml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 45 {
		t.Fatalf("the corpus has %d documents, some are missing", len(files))
	}
	specimens := make([]specimen, len(files))
	for i, file := range files {
		base := strings.TrimSuffix(file, ".xml")
		specimens[i] = specimen{name: filepath.Base(base), data: read(t, file), want: read(t, base+".want")}
	}
	return specimens
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func parse(t testing.TB, data string) *prefs.XML {
	t.Helper()
	x, err := prefs.ParseXML([]byte(data))
	if err != nil {
		t.Fatalf("ParseXML: %v\n%q", err, data)
	}
	return x
}
