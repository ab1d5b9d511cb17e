//go:build linux

package faults_test

import "slices"

// catalog is every fault, in the order of the table.
var catalog = slices.Concat(controls, ofTerraform, ofTheConnection, ofTheHost, ofTheMachine, ofTheClock, ofTheServer, ofPlexTV, ofTheDisk, ofEditors, ofTheEngine)

// controls are no faults: they show that the places are where they are said to be.
var controls = []fault{{
	name: noFault, ways: []string{"local", "ssh", "exec", "host"}, operations: []string{"unbind", "rebind", "claim"}, places: placed()[2:], strike: func(*trial) {},
}}

const noFault = "none, only held for a moment"

// everywhere is by each transport.
var everywhere = []string{"local", "ssh", "exec", "container", "host"}
