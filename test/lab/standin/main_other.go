//go:build !windows

package main

import "os"

func main() { os.Exit(fail(1, "the stand-ins are for Windows")) }
