package plexsim

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows/svc"
)

// envHome names the directory below which homeSupport is the support directory that
// a server has when it is given none (facts 5.1).
const (
	envHome     = "LOCALAPPDATA"
	homeSupport = ""
)

// systemStore is the store that the program uses when it is given none.
const systemStore = defaultKey

// stopSignals ask the program to stop.
var stopSignals = []os.Signal{os.Interrupt}

// attend runs the server, and has it know when somebody wants it to stop: the
// service manager if it is a service, else whoever closes its window, as taskkill
// does (facts 5.4), or interrupts it.
func attend(run func(stop <-chan os.Signal) int) int {
	stop := make(chan os.Signal, 8)
	if isService() {
		s := &service{run: run, stop: stop}
		if err := svc.Run("", s); err != nil {
			return exitFailed
		}
		return s.status
	}
	signal.Notify(stop, stopSignals...)
	if err := openWindow(stop); err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "%s: opening a window, so that it can be closed: %v\n", ServerName, err)
		return exitFailed
	}
	return run(stop)
}

// isService is true of what the service manager has started. The library's own answer
// depends on the session, which in Wine is the same for all.
func isService() bool {
	parent, exists := lookUp(os.Getppid())
	return exists && strings.EqualFold(filepath.Base(parent.path), "services.exe")
}

// service is the server as the service manager runs it.
type service struct {
	run    func(stop <-chan os.Signal) int
	stop   chan os.Signal
	status int
}

// Execute is what the service manager talks to.
func (s *service) Execute(_ []string, requests <-chan svc.ChangeRequest, changes chan<- svc.Status) (bool, uint32) {
	ended := make(chan int)
	go func() { ended <- s.run(s.stop) }()
	state := svc.Status{State: svc.Running, Accepts: svc.AcceptStop | svc.AcceptShutdown}
	changes <- state
	for {
		select {
		case request := <-requests:
			switch request.Cmd {
			case svc.Stop, svc.Shutdown:
				state = svc.Status{State: svc.StopPending, WaitHint: 90_000}
				s.stop <- os.Interrupt
			}
			changes <- state
		case s.status = <-ended:
			return s.status != 0, uint32(s.status)
		}
	}
}
