package main

import (
	"os/user"
	"strings"
)

// whoami knows the user and, with /user, the user's SID.
func whoami(arguments []string) int {
	me, err := user.Current()
	if err != nil {
		return fail(1, "ERROR: %v", err)
	}
	name := strings.ToLower(me.Username)
	if _, given := option(arguments, "user"); !given {
		say("%s", name)
		return 0
	}
	format, _ := option(arguments, "fo")
	_, bare := option(arguments, "nh")
	switch strings.ToLower(format) {
	case "csv":
		if !bare {
			say(`"User Name","SID"`)
		}
		say(`"%s","%s"`, name, me.Uid)
	case "list":
		say("")
		say("USER INFORMATION")
		say("----------------")
		say("")
		say("User Name: %s", name)
		say("SID:       %s", me.Uid)
	default:
		if !bare {
			say("")
			say("USER INFORMATION")
			say("----------------")
			say("")
			say("%-*s SID", len(name), "User Name")
			say("%s %s", strings.Repeat("=", len(name)), strings.Repeat("=", len(me.Uid)))
		}
		say("%s %s", name, me.Uid)
	}
	return 0
}
