package plexsim

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

// process is one life of a server, from its start to its exit.
type process struct {
	config Config
	events eventLog
	log    serverLog

	term    chan struct{} // one SIGTERM waits to be seen
	settled chan struct{} // closed once the port is open, or never will be
	done    chan struct{} // closed when the process is gone
	code    int           // exit status, before done is closed
	ownsPID bool          // only run reads and writes it
	store   store         // set before there are preferences in memory

	// life ends with the process; SIGKILL ends it early.
	life context.Context
	end  context.CancelFunc
	// work is what runs in the background and must not outlive a clean stop.
	work sync.WaitGroup

	mu       sync.Mutex // guards what follows
	prefs    *preferences
	listener net.Listener
	http     *http.Server
	bound    string    // where the port is or was open
	ready    time.Time // when the maintenance is over

	file  sync.Mutex // one write of the preferences at a time
	dead  bool       // guarded by file: nothing may be written any more
	claim sync.Mutex // one claim at a time
}

// ending is how a wait inside the process was cut short.
type ending int

const (
	untouched  ending = iota
	terminated        // SIGTERM, to be obeyed
	crashed           // DieAfter has passed
	killed            // SIGKILL
)

func newProcess(config Config) *process {
	config = config.withDefaults()
	p := &process{
		config:  config,
		events:  eventLog{path: config.EventsPath()},
		log:     newServerLog(config),
		term:    make(chan struct{}, 1),
		settled: make(chan struct{}),
		done:    make(chan struct{}),
	}
	p.life, p.end = context.WithCancel(context.Background())
	return p
}

func (p *process) terminate() {
	select {
	case p.term <- struct{}{}:
	default: // one is waiting already
	}
}

func (p *process) kill() { p.end() }

func (p *process) exited() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// run lives the process's life and takes it down.
func (p *process) run() {
	crash := timer(p.config.DieAfter)
	code, how := p.live(crash)
	p.end()
	p.closePort()
	p.file.Lock()
	p.dead = true // a request that is still in flight must not write any more
	p.file.Unlock()
	p.work.Wait()
	if how != killed {
		p.event(EventExit, &code)
	}
	p.code = code
	close(p.done)
}

func (p *process) live(crash <-chan time.Time) (int, ending) {
	p.event(EventStart, nil)
	if p.config.NeverStart {
		p.log.printf("Refusing to start.")
		return 1, untouched
	}
	how := p.serve(crash)
	switch how {
	case killed:
		return -1, how
	case crashed:
		p.log.printf("Crashed.")
		return 1, how
	}
	return p.stop()
}

// serve does all that happens before the process is told to stop.
func (p *process) serve(crash <-chan time.Time) ending {
	if how := p.start(crash); how != untouched {
		return how
	}
	close(p.settled)
	return p.wait(nil, crash)
}

// start loads the preferences and opens the port, or sees that it must not.
func (p *process) start(crash <-chan time.Time) ending {
	if _, err := os.Lstat(p.config.PIDPath()); err == nil {
		// Facts 4: a stale pid file makes the server wait for ever.
		p.log.printf("Another instance seems to be running; waiting for it.")
		p.event(EventWedged, nil)
		return untouched
	}
	if err := p.writePID(); err != nil {
		p.log.printf("Could not write the pid file: %v", err)
	}
	if err := p.load(); err != nil {
		p.log.printf("Failed to load preferences at %s", firstOf(p.config.Store, p.config.PreferencesPath()))
		p.event(EventLoadFailed, nil)
		return untouched
	}
	p.background(p.rewrite)
	if how := p.sleep(p.config.StartDelay, crash); how != untouched {
		return how
	}
	if hasToken := p.value(keyToken) != ""; hasToken && p.config.RefuseWithToken || !hasToken && p.config.RefuseWithoutToken {
		p.log.printf("These preferences are refused.")
		p.event(EventRefused, nil)
		return untouched
	}
	if err := p.openPort(); err != nil {
		p.log.printf("Could not open the port: %v", err)
		return crashed
	}
	p.event(EventListening, nil)
	p.background(p.fill)
	return untouched
}

// stop is a clean stop: the port closes first, the preferences are written last,
// so that who watches only the port believes too early that all is done.
func (p *process) stop() (int, ending) {
	p.event(EventStopping, nil)
	p.log.printf("Shutting down.")
	p.closePort()
	if p.sleepDeaf(p.config.StopDelay) == killed {
		return -1, killed
	}
	if err := p.lastWrite(); err != nil {
		if errors.Is(err, context.Canceled) {
			return -1, killed
		}
		p.log.printf("Could not write the preferences: %v", err)
	}
	p.removePID()
	p.event(EventStopped, nil)
	return 0, terminated
}

// sleep waits for d unless the process must react to something earlier.
func (p *process) sleep(d Duration, crash <-chan time.Time) ending {
	if d <= 0 {
		return p.wait(closedTimer, crash)
	}
	return p.wait(time.After(d.D()), crash)
}

// wait waits for until, which may be nil, unless the process must react to
// something earlier.
func (p *process) wait(until, crash <-chan time.Time) ending {
	for {
		select {
		case <-p.life.Done():
			return killed
		case <-crash:
			return crashed
		case <-p.term:
			if p.config.IgnoreTerm {
				p.event(EventIgnored, nil)
				continue
			}
			return p.reactLate(crash)
		case <-until:
			return untouched
		}
	}
}

// reactLate lets TermDelay pass, in which the server goes on as if nothing were.
func (p *process) reactLate(crash <-chan time.Time) ending {
	select {
	case <-p.life.Done():
		return killed
	case <-crash:
		return crashed
	case <-time.After(p.config.TermDelay.D()):
		return terminated
	}
}

// sleepDeaf waits for d whatever else happens, except for SIGKILL.
func (p *process) sleepDeaf(d Duration) ending {
	select {
	case <-p.life.Done():
		return killed
	default:
	}
	if d <= 0 {
		return untouched
	}
	select {
	case <-p.life.Done():
		return killed
	case <-time.After(d.D()):
		return untouched
	}
}

func (p *process) background(work func(context.Context)) {
	p.work.Go(func() { work(p.life) })
}

func (p *process) event(kind string, code *int) {
	if err := p.events.add(kind, code); err != nil {
		p.log.printf("Could not write an event: %v", err)
	}
}

func (p *process) writePID() error {
	if err := os.MkdirAll(p.config.DataDir(), 0o755); err != nil {
		return err
	}
	p.ownsPID = true
	return os.WriteFile(p.config.PIDPath(), []byte(strconv.Itoa(os.Getpid())), 0o644)
}

// removePID leaves a stale pid file where it is if this process was wedged by it:
// only the process that wrote the file takes it away.
func (p *process) removePID() {
	if !p.ownsPID {
		return
	}
	if err := os.Remove(p.config.PIDPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.log.printf("Could not remove the pid file: %v", err)
	}
}

func timer(d Duration) <-chan time.Time {
	if d <= 0 {
		return nil
	}
	return time.After(d.D())
}

// closedTimer is a wait that is over.
var closedTimer = func() <-chan time.Time {
	c := make(chan time.Time)
	close(c)
	return c
}()
