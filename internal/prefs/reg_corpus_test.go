package prefs_test

import (
	"encoding/binary"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

const regKey = `HKEY_CURRENT_USER\Software\Plex, Inc.\Plex Media Server`

// regCorpus is the documents of testdata/reg: name.reg, and as name.want the same without the four binding keys, cut by hand.
func regCorpus(t testing.TB) []specimen {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "reg", "*.reg"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 36 {
		t.Fatalf("the corpus has %d documents, some are missing", len(files))
	}
	specimens := make([]specimen, len(files))
	for i, file := range files {
		base := strings.TrimSuffix(file, ".reg")
		specimens[i] = specimen{name: filepath.Base(base), data: read(t, file), want: read(t, base+".want")}
	}
	return specimens
}

// version5 is text in the encoding of version 5.00.
func version5(text string) []byte {
	var data []byte
	for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
		data = binary.LittleEndian.AppendUint16(data, unit)
	}
	return data
}

// fromVersion5 is the text of a document that is valid UTF-16.
func fromVersion5(data []byte) string {
	var units []uint16
	for i := 0; i+1 < len(data); i += 2 {
		units = append(units, binary.LittleEndian.Uint16(data[i:]))
	}
	return strings.TrimPrefix(string(utf16.Decode(units)), "\ufeff")
}

// export is a document of version 5.00 with these lines after its key.
func export(lines ...string) string {
	return "Windows Registry Editor Version 5.00\r\n\r\n[" + regKey + "]\r\n" + ended(lines, "\r\n")
}

// export4 is the same as REGEDIT4.
func export4(lines ...string) string {
	return "REGEDIT4\r\n\r\n[" + regKey + "]\r\n" + ended(lines, "\r\n")
}

func ended(lines []string, eol string) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(line + eol)
	}
	return b.String()
}

func parseReg(t testing.TB, data []byte) *prefs.Registry {
	t.Helper()
	r, err := prefs.ParseRegistry(data)
	if err != nil {
		t.Fatalf("ParseRegistry: %v\n%q", err, data)
	}
	return r
}

func parseExport(t testing.TB, lines ...string) *prefs.Registry {
	t.Helper()
	return parseReg(t, version5(export(lines...)))
}
