//go:build linux

package faults_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// choice is what a trial injects, where and how.
type choice struct {
	number                int
	fault                 fault
	way, operation, place string
	random                *rand.Rand
}

func (c choice) String() string {
	return fmt.Sprintf("%s/%s/%s/%s", c.fault.name, c.way, c.operation, c.place)
}

// choose is the trial of a number: it depends on the seed and on nothing else, so
// that one can be replayed alone. Faults take turns, and some have their places in
// turn; the rest is drawn.
func choose(seed uint64, number int) choice {
	var deck []fault
	for _, f := range catalog {
		for range max(1, f.weight) {
			deck = append(deck, f)
		}
	}
	shuffle := rand.New(rand.NewPCG(seed, uint64(number/len(deck))))
	shuffle.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
	c := choice{number: number, fault: deck[number%len(deck)], random: rand.New(rand.NewPCG(seed, 1_000_000+uint64(number)))}
	draw := func(from []string) string { return from[c.random.IntN(len(from))] }
	c.way = draw(or(c.fault.ways, []string{"local", "ssh", "exec"}))
	c.operation = draw(or(c.fault.operations, []string{"unbind", "rebind", "replace", "claim"}))
	c.place = draw(drawn(c.fault, c.way))
	if c.fault.inTurn {
		turn := number / len(deck) * c.fault.weight
		for _, earlier := range deck[:number%len(deck)] {
			if earlier.name == c.fault.name {
				turn++
			}
		}
		c.place = c.fault.places[turn%len(c.fault.places)]
	}
	return c
}

func or(some, other []string) []string {
	if len(some) > 0 {
		return some
	}
	return other
}

// result is one line of the results.
type result struct {
	Seed                               uint64
	Trial                              int
	Fault, Transport, Operation, Place string
	Injected                           bool // false: the operation never came to the place
	Broken                             bool // the harness itself failed
	Verdict                            verdict
	Away                               time.Duration // how long the server did not answer, once the fault was there, or had been mended
	Took                               time.Duration
}

var recorded struct {
	sync.Mutex
	all []result
}

func record(t *testing.T, r result) {
	recorded.Lock()
	defer recorded.Unlock()
	recorded.all = append(recorded.all, r)
	if *results == "" {
		return
	}
	line, err := json.Marshal(r)
	if err != nil {
		t.Error(err)
		return
	}
	f, err := os.OpenFile(*results, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Error(err)
		return
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		t.Error(err)
	}
	_ = f.Close()
}

// recordedIn reads what record has written.
func recordedIn(t *testing.T, path string) []result {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []result
	for line := range bytes.Lines(data) {
		var r result
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

func TestFaults(t *testing.T) {
	if *runs == 0 && *results != "" {
		fmt.Print(table(recordedIn(t, *results)))
		return
	}
	if *runs == 0 {
		t.Skip("make faults injects faults")
	}
	fmt.Printf("seed %d\n", *seed)
	began := time.Now()
	t.Run("trial", func(t *testing.T) {
		for number, chosen := 0, 0; chosen < *runs && number < 100_000; number++ {
			c := choose(*seed, number)
			if *replay >= 0 && number != *replay || !wanted.MatchString(c.String()) || unwanted.MatchString(c.String()) || !slices.Contains(strings.Split(*by, ","), c.way) {
				continue
			}
			chosen++
			t.Run(fmt.Sprintf("%d/%s", number, c), func(t *testing.T) {
				t.Parallel()
				if *budget > 0 && time.Since(began) > *budget || interrupted.Err() != nil {
					t.Skip("the time is over")
				}
				try(t, c)
			})
		}
	})
	fmt.Print("\n", table(recorded.all))
	fmt.Printf("\nseed %d, %d trials in %v\n", *seed, len(recorded.all), time.Since(began).Round(time.Second))
}

// try injects one fault and judges.
func try(t *testing.T, c choice) {
	began := time.Now()
	r := result{Seed: *seed, Trial: c.number, Fault: c.fault.name, Transport: c.way, Operation: c.operation, Place: c.place, Broken: true}
	tr := &trial{t: t, fault: c.fault, operation: operationNamed(c.operation), place: c.place, random: c.random}
	defer func() {
		tr.undoAll()
		r.Took = time.Since(began)
		record(t, r)
		if t.Failed() {
			t.Logf("to replay it: test/lab/faults.sh replay -seed %d -trial %d", *seed, c.number)
		}
	}()
	tr.prepare(c)
	r.Injected = tr.inject()
	if !r.Injected && c.fault.name == noFault {
		t.Error("the operation never came to the place")
	}
	r.Verdict = tr.judge()
	r.Away = tr.away
	r.Broken = false
	for what, found := range map[string]string{
		"server down": r.Verdict.Down, "preferences damaged": r.Verdict.Damaged,
		"no good copy": r.Verdict.NoCopy, "did not converge": r.Verdict.Diverged,
		"secrets found": r.Verdict.Leaked,
	} {
		if found != "" {
			t.Errorf("%s: %s", what, found)
		}
	}
	if r.Verdict.StateLost {
		t.Log("Terraform had left no state that it can read; it was put back from a copy")
	}
	t.Logf("injected %t, away %v", r.Injected, r.Away)
}

// lengths are how long operations take that nothing happens to.
var lengths sync.Map

// measured is how long an operation takes, by the last one that was seen whole.
func measured(way, operation string) time.Duration {
	if length, ok := lengths.Load(way + operation); ok {
		return length.(time.Duration)
	}
	return 1500 * time.Millisecond
}
