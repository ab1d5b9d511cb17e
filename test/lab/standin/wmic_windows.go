package main

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// wmic knows "process [where CONDITION] get A,B [/format:csv|list|value]", with
// conditions of the form NAME=VALUE, joined by and. Its output is what the real one
// sends into a pipe: UTF-16 with a byte order mark, lines that end in CR CR LF.
func wmic(arguments []string) int {
	line := strings.Join(arguments, " ")
	match := regexp.MustCompile(`(?i)^process(?: where \(?"?(.+?)"?\)?)? get ([\w, ]+?)(?: /format:(\w+)| /(value))?$`).FindStringSubmatch(line)
	if match == nil {
		return fail(44, "Invalid query")
	}
	all, err := processes()
	if err != nil {
		return fail(44, "%v", err)
	}
	var properties []string
	for property := range strings.SplitSeq(match[2], ",") {
		properties = append(properties, strings.TrimSpace(property))
	}
	var found []map[string]string
	for _, p := range all {
		if values := p.properties(); holds(values, match[1]) {
			found = append(found, values)
		}
	}
	write(table(found, properties, strings.ToLower(match[3]+match[4])))
	return 0
}

// properties are those of Win32_Process, by their names in lower case.
func (p process) properties() map[string]string {
	number := func(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
	created := ""
	if !p.started.IsZero() {
		created = p.started.UTC().Format("20060102150405.000000") + "+000"
	}
	return map[string]string{
		"name": p.name, "caption": p.name, "description": p.name, "executablepath": p.path, "commandline": p.line,
		"processid": number(p.pid), "handle": number(p.pid), "parentprocessid": number(p.parent), "sessionid": number(p.session), "creationdate": created,
	}
}

// holds tells whether all parts of a condition do.
func holds(values map[string]string, condition string) bool {
	if condition == "" {
		return true
	}
	for _, part := range regexp.MustCompile(`(?i)\s+and\s+`).Split(condition, -1) {
		name, want, _ := strings.Cut(part, "=")
		want = strings.ReplaceAll(strings.Trim(strings.TrimSpace(want), `'"`), `\\`, `\`)
		if !strings.EqualFold(values[strings.ToLower(strings.TrimSpace(name))], want) {
			return false
		}
	}
	return true
}

func table(found []map[string]string, properties []string, format string) []string {
	if len(found) == 0 {
		return nil
	}
	// The real one sorts the columns in all of its formats.
	slices.SortFunc(properties, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	value := func(p map[string]string, property string) string { return p[strings.ToLower(property)] }
	lines := []string{}
	switch format {
	case "csv":
		lines = append(lines, "", "Node,"+strings.Join(properties, ","))
		for _, p := range found {
			row := []string{os.Getenv("COMPUTERNAME")}
			for _, property := range properties {
				row = append(row, value(p, property))
			}
			lines = append(lines, strings.Join(row, ","))
		}
	case "list", "value":
		for _, p := range found {
			lines = append(lines, "", "")
			for _, property := range properties {
				lines = append(lines, property+"="+value(p, property))
			}
		}
		lines = append(lines, "", "", "")
	default:
		lines = columns(found, properties, value)
	}
	return lines
}

// columns pads each column to its widest value.
func columns(found []map[string]string, properties []string, value func(map[string]string, string) string) []string {
	lines := make([]string, len(found)+1)
	for _, property := range properties {
		width := len(property)
		for _, p := range found {
			width = max(width, len(value(p, property)))
		}
		pad := func(text string) string { return text + strings.Repeat(" ", width-len(text)+2) }
		lines[0] += pad(property)
		for i, p := range found {
			lines[i+1] += pad(value(p, property))
		}
	}
	return append(lines, "")
}

func write(lines []string) {
	out := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(strings.Join(append(lines, ""), "\r\r\n"))) {
		out = append(out, byte(unit), byte(unit>>8))
	}
	_, _ = os.Stdout.Write(out)
}
