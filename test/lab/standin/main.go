// Command standin plays those programs of Windows that Wine only pretends to have:
// there they end well and have done nothing. It goes by the name that it is called.
package main

import (
	"fmt"
	"os"
)

// fail ends the program as one of Windows does that cannot do what it was told.
func fail(status int, format string, arguments ...any) int {
	_, _ = fmt.Fprintf(os.Stderr, format+"\r\n", arguments...)
	return status
}
