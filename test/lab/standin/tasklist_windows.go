package main

import (
	"fmt"
	"strings"
)

// tasklist knows the filters IMAGENAME and PID, with eq. One that nothing passes is
// no failure: the real one says so and ends well.
func tasklist(arguments []string) int {
	all, err := processes()
	if err != nil {
		return fail(1, "ERROR: %v", err)
	}
	var found []process
	for _, p := range all {
		passes := true
		for i, argument := range arguments {
			if !strings.EqualFold(argument, "/fi") || i+1 == len(arguments) {
				continue
			}
			pass, err := passesFilter(p, arguments[i+1])
			if err != nil {
				return fail(1, "ERROR: %v", err)
			}
			passes = passes && pass
		}
		if passes {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		say("INFO: No tasks are running which match the specified criteria.")
		return 0
	}
	format, _ := option(arguments, "fo")
	_, bare := option(arguments, "nh")
	printTasks(found, strings.ToLower(format), bare)
	return 0
}

func passesFilter(p process, filter string) (bool, error) {
	fields := strings.SplitN(filter, " ", 3)
	if len(fields) == 3 && strings.EqualFold(fields[1], "eq") {
		switch strings.ToUpper(fields[0]) {
		case "IMAGENAME":
			return strings.EqualFold(p.name, fields[2]), nil
		case "PID":
			return fmt.Sprint(p.pid) == fields[2], nil
		}
	}
	return false, fmt.Errorf("the search filter %q cannot be recognized", filter)
}

func printTasks(found []process, format string, bare bool) {
	switch format {
	case "csv":
		if !bare {
			say(`"Image Name","PID","Session Name","Session#","Mem Usage"`)
		}
		for _, p := range found {
			say(`"%s","%d","Console","%d","10,240 K"`, p.name, p.pid, p.session)
		}
	default:
		if !bare {
			say("")
			say("%-25s %8s %-16s %11s %12s", "Image Name", "PID", "Session Name", "Session#", "Mem Usage")
			say("%s %s %s %s %s", strings.Repeat("=", 25), strings.Repeat("=", 8), strings.Repeat("=", 16), strings.Repeat("=", 11), strings.Repeat("=", 12))
		}
		for _, p := range found {
			say("%-25.25s %8d %-16s %11d %12s", p.name, p.pid, "Console", p.session, "10,240 K")
		}
	}
}
