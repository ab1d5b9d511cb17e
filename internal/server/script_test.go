package server

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestEveryFailureOfTheScriptIsOneThatAPersonCanActOn(t *testing.T) {
	said := regexp.MustCompile(`(?m)(?:^|[ {;|&])fail ([a-z0-9-]+)`).FindAllStringSubmatch(script, -1)
	if len(said) < 20 {
		t.Fatalf("only %d found", len(said))
	}
	for _, code := range said {
		f, known := failures[code[1]]
		if !known || f.err == nil || f.doing == "" || f.state == "" || f.next == "" {
			t.Errorf("%s: %+v", code[1], f)
		}
	}
}

func TestAFailureThatThisVersionDoesNotKnowSaysWhatToDoAllTheSame(t *testing.T) {
	s, err := New(&scripted{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var e *Error
	if err := s.failed([]byte("on-fire the disk burns")); !errors.As(err, &e) || e.State == "" || e.Next == "" || !strings.Contains(err.Error(), "on-fire the disk burns") {
		t.Errorf("error is %v", err)
	}
}

func TestEveryManagerHasItsFunctions(t *testing.T) {
	for _, manager := range append(slices.Clone(managers), ManagerCommands, managerNone, managerOffline) {
		name := strings.ReplaceAll(manager, "-", "_")
		if manager == ManagerSystemdUser || manager == ManagerSnap {
			name = ManagerSystemd
		}
		verbs := []string{"state", "stop", "start", "present", "has"}
		switch manager {
		case ManagerCommands:
			verbs = verbs[:3]
		case managerNone, managerOffline:
			verbs = verbs[:1]
		}
		for _, verb := range verbs {
			if !strings.Contains(script, "\n"+name+"_"+verb+"() {") {
				t.Errorf("%s has no %s", manager, verb)
			}
		}
	}
}

func TestThePlatformsAreATable(t *testing.T) {
	for _, p := range platforms {
		if !slices.Contains(append(Managers(), managerNone), p.Manager) || len(p.Services) == 0 {
			t.Errorf("%+v", p)
		}
		for _, field := range slices.Concat([]string{p.Name}, p.Signs, p.Services, p.Directories) {
			if field == "" || strings.ContainsAny(field, "|;\n'\\") {
				t.Errorf("%s: %q", p.Name, field)
			}
		}
	}
	if !slices.IsSorted(Platforms()) || !slices.Contains(Platforms(), PlatformLinux) {
		t.Errorf("platforms: %v", Platforms())
	}
}

func TestOnlyTheRowsThatWereAskedForAreLookedAt(t *testing.T) {
	for _, test := range []struct {
		platform, manager string
		lines             int
	}{
		{"", "", len(platforms)}, {"qnap", "", 1}, {"freebsd", ManagerFreeBSD, 2}, {"", ManagerCommands, len(platforms)}, {"qnap", ManagerSystemd, 0},
	} {
		if got := strings.Count(rows(test.platform, test.manager), "\n"); got != test.lines {
			t.Errorf("%+v: %d lines", test, got)
		}
	}
}
