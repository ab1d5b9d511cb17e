package host

import (
	"fmt"
	"strconv"
	"strings"
)

// scriptEnd is the line that ends the script on standard input.
const scriptEnd = "#:end-of-script:#"

// shellReady is the line that the bootstrap says first, and scriptReady what it
// says when it has the whole script. What stands before them on standard output
// is not the script's: a login shell greets, a .bashrc talks.
const (
	shellReady  = "#:shell-ready:#"
	scriptReady = "#:script-ready:#"
)

// shellTerminal is said in its place where standard input is a terminal, which
// echoes what it reads and changes bytes.
const shellTerminal = "#:shell-on-a-terminal:#"

// bootstrap is a command for a shell that reads a script of so many bytes from
// standard input, and runs it if its last line is scriptEnd. A shell that reads
// its script from standard input itself (dash, BusyBox ash) reads ahead; head
// may, too, so that nothing more is sent before scriptReady has been said. The
// shell's own read would not, but takes 60 ms for a script of 50 KB where head
// takes 4.
//
// It is one line without quotes that a login shell could take for its own: csh
// and fish, too, take it whole between single quotes. The marks are said in two
// parts, so that an echo of this text is not taken for them.
func bootstrap(length int) string {
	return `if [ -t 0 ];then printf "%s%s\n" "#:shell-on-" "a-terminal:#";exit 1;fi;` +
		`printf "%s%s\n" "#:shell-" "ready:#";s=$(head -c ` + strconv.Itoa(length) + `);` +
		`case $s in *"` + scriptEnd + `")printf "%s%s\n" "#:script-" "ready:#";eval "$s";exit;;esac;exit 1`
}

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
