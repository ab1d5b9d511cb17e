package host

import (
	"fmt"
	"strings"
)

// scriptEnd is the line that ends the script on standard input.
const scriptEnd = "#:end-of-script:#"

// shellReady is the line that the bootstrap says first. What stands before it
// on standard output is not the script's: a login shell greets, a .bashrc talks.
const shellReady = "#:shell-ready:#"

// shellTerminal is said in its place where standard input is a terminal, which
// echoes what it reads and changes bytes.
const shellTerminal = "#:shell-on-a-terminal:#"

// bootstrap reads a script from standard input up to the line scriptEnd and
// runs it. The shell's own read takes one byte at a time from a pipe, so that
// nothing of what follows the script is swallowed; a shell that reads its
// script from standard input itself (dash, BusyBox ash) reads ahead. At the
// end of input without that line nothing is run.
//
// It is one line without quotes that a login shell could take for its own: csh
// and fish, too, take it whole between single quotes. The marks are said in two
// parts, so that an echo of this text is not taken for them.
const bootstrap = `if [ -t 0 ];then printf "%s%s\n" "#:shell-on-" "a-terminal:#";exit 1;fi;` +
	`printf "%s%s\n" "#:shell-" "ready:#";s=;n=$(printf "\nx");n=${n%x};` +
	`while IFS= read -r l;do if [ "$l" = "` + scriptEnd + `" ];then eval "$s";exit;fi;s="$s$l$n";done;exit 1`

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

// quoteAll is a command line of argv for a POSIX shell.
func quoteAll(argv []string) string {
	words := make([]string, len(argv))
	for i, word := range argv {
		words[i] = Quote(word)
	}
	return strings.Join(words, " ")
}
