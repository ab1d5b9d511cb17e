package host

import (
	"fmt"
	"strings"
)

// scriptEnd is the line that ends the script on standard input.
const scriptEnd = "#:end-of-script:#"

// bootstrap reads a script from standard input up to the line scriptEnd and
// runs it. The shell's own read takes one byte at a time from a pipe, so that
// nothing of what follows the script is swallowed; a shell that reads its
// script from standard input itself (dash, BusyBox ash) reads ahead. At the
// end of input without that line nothing is run.
const bootstrap = `s=
while IFS= read -r l; do
  if [ "$l" = '` + scriptEnd + `' ]; then eval "$s"; exit; fi
  s="$s$l
"
done
exit 1`

// frame returns script as bootstrap expects it on standard input.
func frame(script string) (string, error) {
	if strings.Contains(script, "\x00") {
		return "", fmt.Errorf("%w: the script holds a NUL character", ErrShell)
	}
	if !strings.HasSuffix(script, "\n") {
		script += "\n"
	}
	if strings.Contains("\n"+script, "\n"+scriptEnd+"\n") {
		return "", fmt.Errorf("%w: the script holds the line that would end it", ErrShell)
	}
	return script + scriptEnd + "\n", nil
}

// Quote returns s as one word of POSIX shell.
func Quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
