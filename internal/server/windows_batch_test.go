package server

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
)

// The batch cannot be run here: what a run would find first is found by reading.

func TestBatchJumpsOnlyToLabelsThatAreThereOnce(t *testing.T) {
	labels := map[string]int{"leave": 0}
	for _, label := range regexp.MustCompile(`(?m)^:(\S+)\r$`).FindAllStringSubmatch(batch, -1) {
		labels[label[1]]++
	}
	for label, times := range labels {
		if times != 1 {
			t.Errorf("the label %s is there %d times", label, times)
		}
	}
	managers := []string{"commands", ManagerWindowsApp, ManagerWindowsService}
	for _, jump := range regexp.MustCompile(`(?:\bgoto |\bcall :)(\S+)`).FindAllStringSubmatch(batch, -1) {
		targets := []string{jump[1]}
		if verb, byManager := strings.CutPrefix(jump[1], "!manager!"); byManager {
			targets = nil
			for _, manager := range managers {
				targets = append(targets, manager+verb)
			}
		}
		for _, target := range targets {
			if labels[target] == 0 {
				t.Errorf("nothing is called %s, where %q goes", target, jump[0])
			}
		}
	}
}

func TestBatchNamesNoVariableThatAPromptWouldExpand(t *testing.T) {
	for line := range strings.Lines(batch) {
		if found := regexp.MustCompile(`%[A-Za-z_]\w*%`).FindString(line); found != "" {
			t.Errorf("%s in %q", found, line)
		}
	}
}

// What is done at the end is done under the lock, which ends with the redirection
// of the call that took it: without it the guard would do the same at the same time.
func TestBatchKeepsItsLockToItsEnd(t *testing.T) {
	_, locked, _ := strings.Cut(batch, "\r\n:locked\r\n")
	locked, _, _ = strings.Cut(locked, "\r\n:")
	if !strings.HasSuffix(locked, "\r\ncall :edit_locked\r\ngoto leave") {
		t.Errorf("who has the lock does\n%s", locked)
	}
}

// A parenthesis outside of quotes, which cmd.exe pairs without regard to
// backslashes, ends a block.
func TestBatchEndsNoBlockInsideALine(t *testing.T) {
	quoted := regexp.MustCompile(`"[^"]*"`)
	for line := range strings.Lines(batch) {
		text := strings.TrimSpace(line)
		if strings.HasPrefix(text, "rem ") {
			continue
		}
		open := 0
		for _, c := range strings.TrimPrefix(quoted.ReplaceAllString(text, ""), ")") {
			switch c {
			case '(':
				open++
			case ')':
				open--
			case '"':
				t.Errorf("a quote without another: %q", line)
			}
			if open < 0 {
				t.Fatalf("a block ends in the middle of %q", line)
			}
		}
		if opens := strings.HasSuffix(text, "("); open > 1 || opens != (open == 1) {
			t.Errorf("%d parentheses stay open in %q", open, line)
		}
	}
}

func TestBatchUsesNothingThatWineLacks(t *testing.T) {
	for _, lacks := range []string{`&&`, `\|\|`, `!\w+:[~=*\w ]+=[^!]*!`, `!\w+:~`, `\)\s*>`, `in \([^)'"]*![^)]*\)`, `do \(\r\nfor`} {
		if found := regexp.MustCompile(lacks).FindString(batch); found != "" {
			t.Errorf("%q is there, which matches %s", found, lacks)
		}
	}
}

func TestBatchKeepsTheFormThatItIsSentIn(t *testing.T) {
	for line := range strings.Lines(batch) {
		text, ends := strings.CutSuffix(line, "\r\n")
		if !ends || strings.ContainsAny(text, "\r\t") || len(text) > host.MaxBatchLine/2 {
			t.Errorf("a line that cannot be sent as it is: %q", line)
		}
	}
	names, err := batchPieces.ReadDir("batch")
	if err != nil {
		t.Fatal(err)
	}
	for _, piece := range names {
		text, err := batchPieces.ReadFile("batch/" + piece.Name())
		if err != nil {
			t.Fatal(err)
		}
		label := regexp.MustCompile(`(?m)^:\S+$`).Find(text)
		if piece.Name() != "start.cmd" && (label == nil || !slices.Contains(strings.Split(batch, "\r\n"), string(label))) {
			t.Errorf("%s is not a part of the batch", piece.Name())
		}
	}
}

// aWindows is a host that has cmd.exe, and was asked for it so often.
type aWindows struct {
	host.Local
	asked *int
}

func (w aWindows) Shell(context.Context, string) (host.Shell, error) { return nil, host.ErrNotPOSIX }

func (w aWindows) Batch(context.Context, string) (host.Shell, error) {
	*w.asked++
	return nil, errors.New("asked")
}

func TestAManagerOfAnotherSystemIsAnErrorThatNamesThoseOfWindows(t *testing.T) {
	for _, platform := range []string{"", PlatformWindows} {
		for _, manager := range []string{ManagerSystemd, ManagerMacOSApp, ManagerSysV} {
			asked := 0
			s, err := New(aWindows{asked: &asked}, Options{Platform: platform, Service: Service{Manager: manager, Name: "plex"}})
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Inspect(t.Context())
			if !errors.Is(err, ErrServiceNotFound) || asked != 0 {
				t.Errorf("%q: %v, and cmd.exe was asked for %d times", platform, err, asked)
			}
			for _, says := range []string{manager, "Windows", ManagerWindowsApp, ManagerWindowsService, "server.service.manager", stateUntouched} {
				if err == nil || !strings.Contains(err.Error(), says) {
					t.Errorf("%q: %v does not say %q", platform, err, says)
				}
			}
		}
		for _, service := range []Service{{}, {Manager: ManagerWindowsApp}, {Manager: ManagerWindowsService, Name: "plex"}, {Name: "plex"}} {
			asked := 0
			s, err := New(aWindows{asked: &asked}, Options{Platform: platform, Service: service})
			if err != nil {
				t.Fatal(err)
			}
			if _, err = s.Inspect(t.Context()); asked != 1 {
				t.Errorf("%q, %+v: cmd.exe was asked for %d times: %v", platform, service, asked, err)
			}
		}
	}
}
