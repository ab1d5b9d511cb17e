package provider_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestExamplesAreValid(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..", "examples")
	found := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".tf" {
			return err
		}
		found++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		c := newCLI(t, string(text))
		if out, err := c.output("validate", "-no-color"); err != nil {
			t.Errorf("%s: %s", path, out)
		}
		return nil
	})
	if err != nil || found < 5 {
		t.Errorf("%d examples were found (error: %v)", found, err)
	}
}
