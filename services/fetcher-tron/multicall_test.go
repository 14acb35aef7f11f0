package fetchertron

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// encodeResults writes aggregate3's output as a contract does.
func encodeResults(results []result) []byte {
	out := appendWord(appendWord(nil, 32), uint64(len(results)))
	var tail []byte
	for _, r := range results {
		out = appendWord(out, uint64(32*len(results)+len(tail)))
		success := uint64(0)
		if r.ok {
			success = 1
		}
		tail = appendWord(appendWord(appendWord(tail, success), 64), uint64(len(r.data)))
		tail = append(append(tail, r.data...), make([]byte, -len(r.data)&31)...)
	}
	return append(out, tail...)
}

func TestWhatMulticall3AnswersIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := make([]result, rapid.IntRange(0, 6).Draw(t, "rows"))
		for i := range want {
			want[i] = result{rapid.Bool().Draw(t, "ok"), rapid.SliceOfN(rapid.Byte(), 0, 70).Draw(t, "data")}
		}
		data := encodeResults(want)
		got, err := aggregated(data, len(want))
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if got[i].ok != want[i].ok || !bytes.Equal(got[i].data, want[i].data) {
				t.Fatalf("row %d: %v, want %v", i, got[i], want[i])
			}
		}
		if _, err := aggregated(data, len(want)+1); err == nil {
			t.Fatal("a row more than there are")
		}
		if _, err := aggregated(append(data, make([]byte, 32)...), len(want)); err == nil {
			t.Fatal("a word more than there are")
		}
		if _, err := aggregated(data[:len(data)-1], len(want)); err == nil {
			t.Fatal("a byte less than there are")
		}
	})
}

// Whatever a node sends, it is an error or rows that are all there; never a panic.
func TestWhatMulticall3DoesNotAnswerIsRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := []result{{true, make([]byte, 32)}, {false, nil}, {true, make([]byte, 33)}}
		data := encodeResults(want)
		for range rapid.IntRange(1, 4).Draw(t, "changes") {
			data[rapid.IntRange(0, len(data)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "to")
		}
		data = data[:rapid.IntRange(0, len(data)).Draw(t, "length")]
		if got, err := aggregated(data, len(want)); err == nil && len(got) != len(want) {
			t.Fatalf("%d rows", len(got))
		}
	})
}
