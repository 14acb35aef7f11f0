package secret

import "io"

// Writer scrubs what passes through it: the last net in front of a log. Each Write must hold whole lines, as zerolog's
// do; a secret that is split over two writes would pass.
type Writer struct {
	To       io.Writer
	Scrubber *Scrubber
}

// Write scrubs p and passes it on. It reports len(p), so that a shortened line is not taken for a short write.
func (w Writer) Write(p []byte) (int, error) {
	if _, err := io.WriteString(w.To, w.Scrubber.Scrub(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}
