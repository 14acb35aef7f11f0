package faulty

import (
	"net/http"
	"slices"
)

// Shorten leaves the last n replies of every batch out, but for one.
func Shorten(n int) *Fault {
	f := &Fault{}
	f.pack = func(replies []Reply) []Reply {
		f.hits.Add(1)
		return replies[:max(len(replies)-n, 1)]
	}
	return f
}

// Reorder gives the replies of every batch in reverse.
func Reorder() *Fault {
	f := &Fault{}
	f.pack = func(replies []Reply) []Reply {
		f.hits.Add(1)
		slices.Reverse(replies)
		return replies
	}
	return f
}

// Duplicate gives the last reply of every batch twice: under its own id and under that of the reply before, which is given too.
func Duplicate() *Fault {
	f := &Fault{}
	f.pack = func(replies []Reply) []Reply {
		if len(replies) < 2 {
			return replies
		}
		f.hits.Add(1)
		again := replies[len(replies)-1]
		again.ID = replies[len(replies)-2].ID
		return append(replies, again)
	}
	return f
}

// Replace answers the call at place i of every batch with the reply, its own id kept: one row of many that fails.
func Replace(i int, with Reply) *Fault {
	f := &Fault{}
	f.pack = func(replies []Reply) []Reply {
		if i >= len(replies) {
			return replies
		}
		f.hits.Add(1)
		replies[i].Result, replies[i].Error = with.Result, with.Error
		return replies
	}
	return f
}

// Truncate ends every answer after half of its bytes, as if that were all.
func Truncate() *Fault {
	return Rewrite(func(body string) string { return body[:len(body)/2] })
}

// Rewrite changes the text of every answer.
func Rewrite(change func(body string) string) *Fault {
	f := &Fault{}
	f.send = func(w http.ResponseWriter, _ *http.Request, body []byte) {
		f.hits.Add(1)
		_, _ = w.Write([]byte(change(string(body)))) // the client judges what it got
	}
	return f
}
