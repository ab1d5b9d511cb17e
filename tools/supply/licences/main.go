// Command licences checks what is shipped: every module that is linked into the
// provider has a licence file, and all that is in it is on the list of what may
// be shipped.
//
// It reads modules from standard input, a line each: path, version and directory,
// between tabs. It ends with status 1 where one is not in order.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// allowed are the licences, by their SPDX identifiers, that a program under
// MPL-2.0 may be linked with and shipped.
var allowed = []string{"Apache-2.0", "BSD-2-Clause", "BSD-2-Clause-Views", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0", "MPL-2.0-no-copyleft-exception"}

// enough is how much of a licence file, in percent, has to be known text. The
// rest is names, years and headings.
const enough = 75.0

func main() {
	wrong, err := check(os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if wrong > 0 {
		fmt.Fprintf(os.Stderr, "%d modules are not in order\n", wrong)
		os.Exit(1)
	}
}

// check writes a line for each module, and tells how many are not in order.
func check(modules io.Reader, out io.Writer) (wrong int, err error) {
	lines := bufio.NewScanner(modules)
	count := 0
	for lines.Scan() {
		field := strings.Split(lines.Text(), "\t")
		if len(field) != 3 {
			return 0, fmt.Errorf("not a module: %q", lines.Text())
		}
		count++
		found, problem := licencesOf(field[2])
		if problem != "" {
			wrong++
			problem = "  NOT IN ORDER: " + problem
		}
		_, _ = fmt.Fprintf(out, "%-60s %-24s %s%s\n", field[0], field[1], strings.Join(found, ", "), problem)
	}
	if count == 0 && lines.Err() == nil {
		return 0, fmt.Errorf("no modules were given")
	}
	return wrong, lines.Err()
}

// licencesOf are the licences in the files of a module's top directory, and what
// is wrong with them, if anything is.
func licencesOf(dir string) (found []string, problem string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err.Error()
	}
	for _, entry := range entries {
		name := strings.ToUpper(entry.Name())
		// That of the documentation is not of what is linked.
		if entry.IsDir() || strings.HasSuffix(name, ".DOCS") || !strings.HasPrefix(name, "LICENSE") && !strings.HasPrefix(name, "LICENCE") && !strings.HasPrefix(name, "COPYING") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, err.Error()
		}
		covered := licensecheck.Scan(text)
		if covered.Percent < enough {
			problem = fmt.Sprintf("only %.0f %% of %s is known", covered.Percent, entry.Name())
		}
		for _, match := range covered.Match {
			if !slices.Contains(found, match.ID) {
				found = append(found, match.ID)
			}
			if !match.IsURL && !slices.Contains(allowed, match.ID) {
				problem = match.ID + " is not on the list"
			}
		}
	}
	if len(found) == 0 && problem == "" {
		problem = "it has no licence file"
	}
	slices.Sort(found)
	return found, problem
}
