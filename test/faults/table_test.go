//go:build linux

package faults_test

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// table is the results in Markdown, a line for each fault and transport.
func table(all []result) string {
	type key struct{ fault, transport string }
	type sum struct {
		runs, missed, broken, down, damaged, noCopy, diverged, lost, leaked int
		away                                                                time.Duration
	}
	sums := map[key]*sum{}
	total := &sum{}
	var keys []key
	count := func(n *int, is bool) {
		if is {
			*n++
		}
	}
	for _, r := range all {
		k := key{r.Fault, r.Transport}
		if sums[k] == nil {
			sums[k] = &sum{}
			keys = append(keys, k)
		}
		for _, s := range []*sum{sums[k], total} {
			switch {
			case r.Broken:
				s.broken++
				continue
			case !r.Injected:
				s.missed++
			default:
				s.runs++
			}
			count(&s.down, r.Verdict.Down != "")
			count(&s.damaged, r.Verdict.Damaged != "")
			count(&s.noCopy, r.Verdict.NoCopy != "")
			count(&s.diverged, r.Verdict.Diverged != "")
			count(&s.lost, r.Verdict.StateLost)
			count(&s.leaked, r.Verdict.Leaked != "")
			s.away = max(s.away, r.Away)
		}
	}
	slices.SortFunc(keys, func(a, b key) int {
		if a.fault != b.fault {
			return order(a.fault) - order(b.fault)
		}
		return strings.Compare(a.transport, b.transport)
	})
	var b strings.Builder
	b.WriteString("| fault | transport | runs | server down at the end | preferences damaged | copies missing | did not converge | longest time until it ran again, s |\n|---|---|---|---|---|---|---|---|\n")
	line := func(k key, s *sum) {
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %d | %d | %d | %.1f |\n", k.fault, k.transport, s.runs, s.down, s.damaged, s.noCopy, s.diverged, s.away.Seconds())
	}
	for _, k := range keys {
		line(k, sums[k])
	}
	line(key{"**all**", ""}, total)
	fmt.Fprintf(&b, "\n%d operations ended before they came to the place, and were judged all the same. Terraform's own state was lost %d times. The harness failed %d times. Secrets were found %d times.\n",
		total.missed, total.lost, total.broken, total.leaked)
	return b.String()
}

// order is where a fault stands in the catalogue.
func order(name string) int {
	return slices.IndexFunc(catalog, func(f fault) bool { return f.name == name })
}
