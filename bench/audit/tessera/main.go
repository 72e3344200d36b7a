// Appends the lines of a file to a log with Tessera's POSIX driver, and tells how long it took until all of them were integrated.
//
//	tessera -entries lines.txt -dir log -batch 256
//
// Reading the file is not in the time; what Tessera does with an entry is. Prints one JSON object.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

func main() {
	entriesFile := flag.String("entries", "", "file with one entry a line")
	dir := flag.String("dir", "", "directory of the log, which must be empty")
	batch := flag.Uint("batch", tessera.DefaultBatchMaxSize, "most entries that are sequenced at a time")
	flag.Parse()
	if err := run(*entriesFile, *dir, *batch); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(entriesFile, dir string, batch uint) error {
	lines, err := linesOf(entriesFile)
	if err != nil {
		return err
	}
	ctx := context.Background()
	secret, _, err := note.GenerateKey(rand.Reader, "bench.example/tessera")
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		return err
	}
	driver, err := posix.New(ctx, posix.Config{Path: dir})
	if err != nil {
		return err
	}
	// One checkpoint a second, which is what its own examples do; all entries at once, since nobody waits for an answer here.
	options := tessera.NewAppendOptions().
		WithCheckpointSigner(signer).
		WithCheckpointInterval(time.Second).
		WithBatching(batch, tessera.DefaultBatchMaxAge).
		WithPushback(uint(len(lines)) + 1)
	appender, shutdown, _, err := tessera.NewAppender(ctx, driver, options)
	if err != nil {
		return err
	}
	began := time.Now()
	futures := make([]tessera.IndexFuture, 0, len(lines))
	for _, line := range lines {
		futures = append(futures, appender.Add(ctx, tessera.NewEntry(line)))
	}
	for _, future := range futures {
		if _, err := future(); err != nil {
			return err
		}
	}
	seconds := time.Since(began).Seconds()
	if err := shutdown(ctx); err != nil {
		return err
	}
	fmt.Printf("{\"entries\":%d,\"seconds\":%f}\n", len(lines), seconds)
	return nil
}

func linesOf(path string) ([][]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var lines [][]byte
	scanner := bufio.NewScanner(file)
	scanner.Buffer(make([]byte, 1<<17), 1<<17)
	for scanner.Scan() {
		lines = append(lines, append([]byte(nil), scanner.Bytes()...))
	}
	return lines, scanner.Err()
}
