package main

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// wmic knows "process call create LINE" and "process [where CONDITION] get A,B [/format:csv|list|value]", with
// conditions of the form NAME=VALUE, joined by and. Its lines end in CR CR LF, as
// those of the real one do. They are bytes: the real one writes UTF-16 into a file,
// which `type` turns into bytes on Windows, and in Wine does not.
func wmic(arguments []string) int {
	if len(arguments) == 4 && strings.EqualFold(strings.Join(arguments[:3], " "), "process call create") {
		return create(arguments[3])
	}
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

func number(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// properties are those of Win32_Process, by their names in lower case.
func (p process) properties() map[string]string {
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
	_, _ = os.Stdout.WriteString(strings.Join(append(lines, ""), "\r\r\n"))
}
