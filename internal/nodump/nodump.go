// Package nodump keeps the memory of this process, which holds tokens and
// passwords, out of core dumps.
package nodump
