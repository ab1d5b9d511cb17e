package main

import (
	"encoding/pem"
	"os"
	"slices"
	"strings"
)

// certutil knows -encode, which puts a file into base64 as if it were a certificate.
func certutil(arguments []string) int {
	force := slices.Contains(arguments, "-f")
	var files []string
	for _, argument := range arguments {
		if !strings.HasPrefix(argument, "-") && !strings.HasPrefix(argument, "/") {
			files = append(files, argument)
		}
	}
	encode := slices.ContainsFunc(arguments, func(a string) bool { return strings.EqualFold(a, "-encode") })
	if !encode || len(files) != 2 {
		return fail(1, "CertUtil: Unknown command")
	}
	in, err := os.ReadFile(files[0])
	if err != nil {
		return fail(2, "CertUtil: -encode command FAILED: 0x80070002 (WIN32: 2 ERROR_FILE_NOT_FOUND)")
	}
	if _, err := os.Stat(files[1]); err == nil && !force {
		return fail(80, "CertUtil: -encode command FAILED: 0x80070050 (WIN32: 80 ERROR_FILE_EXISTS)")
	}
	text := strings.ReplaceAll(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: in})), "\n", "\r\n")
	if err := os.WriteFile(files[1], []byte(text), 0o600); err != nil {
		return fail(5, "CertUtil: -encode command FAILED: %v", err)
	}
	say("CertUtil: -encode command completed successfully.")
	return 0
}
