package host

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

func TestExecKnowsTheShellsOfWindowsByName(t *testing.T) {
	for command, want := range map[string]bool{
		"cmd": true, "ssh win cmd.exe": true, `C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`: true, "pwsh -Command -": true,
		"sh": false, "kubectl exec -i plex-0 -- sh": false, "/opt/cmdline/bin/sh": false,
	} {
		if got := (Exec{Command: strings.Fields(command)}).givesBatch(); got != want {
			t.Errorf("%s: %v, want %v", command, got, want)
		}
	}
}

func TestSetBatchRefusesWhatEndsALine(t *testing.T) {
	for _, value := range []string{"a\nb", "a\rb", "a\x00b", "a\tb", "\xff"} {
		if _, err := SetBatch("p_x", value); !errors.Is(err, ErrShell) {
			t.Errorf("%q: %v", value, err)
		}
	}
}

func TestABatchIsSentInPiecesThatAPipeTakesWhole(t *testing.T) {
	commands, err := stage("id", strings.Repeat("echo ("+strings.Repeat("x", 500)+")\r\n", 40))
	if err != nil {
		t.Fatal(err)
	}
	// Nobody else can enter the directory when the first line is stored, or there is none.
	first := slices.IndexFunc(commands, func(c string) bool { return strings.HasPrefix(c, ">>s echo ") })
	if limit := commands[first-2 : first]; !strings.HasPrefix(limit[0], "icacls . /inheritance:r /grant:r ") || limit[1] != "(if errorlevel 1 exit 4)" {
		t.Errorf("before the first line comes %q", limit)
	}
	lines := 0
	for _, command := range commands {
		if len(command) > 4000 {
			t.Errorf("a command of %d bytes", len(command))
		}
		lines += strings.Count(command, ">>s echo ")
	}
	if lines != 40 {
		t.Errorf("%d lines are stored, want 40", lines)
	}
	if _, err := stage("id", strings.Repeat("x", MaxBatchLine)+"\r\n"); !errors.Is(err, ErrShell) {
		t.Errorf("a line that is too long: %v", err)
	}
}

// quoted are values that cmd.exe would make something of.
var quoted = []string{
	"", " ", "plain", "two words", ` leading and trailing `, `"C:\Program Files (x86)\Plex\x.exe" /y`, `a & b`, `a | b`, `a > b < c`, `^`, `a^b^^c`,
	`(a)`, `)`, `'`, "`", `;,=`, `a"b`, `"`, `"a" & "b`, `%`, `100%`, `%%`, `{`, `{p}`, `{b}`, `a/b\c`, `\\server\share`, `~!@#$*-+?:`, `a ^& b`, `x & echo y`,
}

func TestSetBatchWritesOneLineForAValue(t *testing.T) {
	for _, value := range quoted {
		text, err := SetBatch("p_x", value)
		if err != nil {
			t.Errorf("%q: %v", value, err)
			continue
		}
		for line := range strings.Lines(text) {
			if strings.Contains(strings.ReplaceAll(line, "%%", ""), "%") {
				t.Errorf("%q: a percent sign that stands alone: %s", value, line)
			}
		}
	}
}

// What stands for a percent sign is none itself.
func TestSetBatchKeepsBracesApartFromPercentSigns(t *testing.T) {
	text, err := SetBatch("p_x", "{p}%{b}")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"set p_x={b}p}{p}{b}b}\r\n", "set \"p_x=!p_x:{p}=%%!\"\r\nset \"p_x=!p_x:{b}={!\"\r\n"} {
		if !strings.Contains(text, line) {
			t.Errorf("%q has no %q", text, line)
		}
	}
}

// requireWine is a command that gives cmd.exe.
func requireWine(t *testing.T) []string {
	t.Helper()
	script := os.Getenv("PLEX_LAB_WINE")
	if script == "" {
		t.Skip("NOT RUN: PLEX_LAB_WINE does not say where test/lab/wine.sh is; test/lab/windows.sh does")
	}
	return []string{script, "cmd"}
}

const goodbye = "cd /d \"!SystemRoot!\" & rmdir /s /q \"!batch_dir!\" >nul 2>nul & exit\r\n"

func TestABatchHasTheValuesThatItWasGiven(t *testing.T) {
	h := Exec{Command: requireWine(t)}
	var variables []string
	program, want := "", ""
	for i, value := range quoted {
		if strings.ContainsAny(value, "%{!") {
			continue // Wine does not replace a part of a variable
		}
		name := "p_" + strconv.Itoa(i)
		variables = append(variables, name, value)
		program += "echo [!" + name + "!]\r\n"
		want += "[" + value + "]\r\n"
	}
	set, err := SetBatch(variables...)
	if err != nil {
		t.Fatal(err)
	}
	s, err := h.Batch(t.Context(), set+program+"set /p heard=\r\necho !heard!\r\n"+goodbye)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(s, "something\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(s)
	if err != nil {
		t.Fatal(err)
	}
	if got, _, _ := strings.Cut(string(said), "something"); got != want {
		t.Errorf("it has\n%s\nwant\n%s", got, want)
	}
}

// The sshd is that of `test/lab/wine.sh sshd up`, whose users have cmd.exe.
func TestSSHTellsWindowsFromPOSIX(t *testing.T) {
	dir := os.Getenv("PLEX_LAB_SSHD")
	if dir == "" {
		t.Skip("NOT RUN: PLEX_LAB_SSHD names no sshd that gives cmd.exe")
	}
	h := windowsBySSH(t, dir)
	for range 2 {
		if _, err := h.Shell(t.Context(), "echo hello"); !errors.Is(err, ErrNotPOSIX) {
			t.Fatalf("a POSIX shell: %v", err)
		}
	}
	s, err := h.Batch(t.Context(), "echo hello\r\n"+"exit\r\n")
	if err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(s)
	if err != nil || string(said) != "hello\r\n" {
		t.Errorf("it said %q, %v", said, err)
	}
	if err := s.Wait(); err != nil {
		t.Error(err)
	}
}

func windowsBySSH(t *testing.T, dir string) *SSH {
	t.Helper()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	port, err := os.ReadFile(filepath.Join(dir, "port"))
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(strings.TrimSpace(string(port)))
	if err != nil {
		t.Fatal(err)
	}
	hostKey, err := os.ReadFile(filepath.Join(dir, "host_key.pub"))
	if err != nil {
		t.Fatal(err)
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	authorized, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := os.OpenFile(filepath.Join(dir, "authorized_keys"), os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = keys.Write(ssh.MarshalAuthorizedKey(authorized))
	if err := errors.Join(err, keys.Close()); err != nil {
		t.Fatal(err)
	}
	pool := NewSSHPool(SSHSettings{PrivateKey: string(pem.EncodeToMemory(block))})
	t.Cleanup(func() { _ = pool.Close() })
	return pool.Host(SSHTarget{Host: "127.0.0.1", Port: number, User: me.Username, HostKey: strings.Join(strings.Fields(string(hostKey))[:2], " ")}, Become{})
}

func TestAHostWithWindowsHasNoSudo(t *testing.T) {
	h := Exec{Command: []string{"cmd"}, Become: Become{Method: BecomeSudo}}
	_, err := h.Batch(context.Background(), "exit\r\n")
	var way *Error
	if !errors.As(err, &way) || !strings.Contains(way.Next, "administrator") {
		t.Errorf("error is %v", err)
	}
}
