package server

import (
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
