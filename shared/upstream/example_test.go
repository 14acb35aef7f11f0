package upstream_test

import (
	"context"
	"fmt"
	"time"

	"github.com/balance-sync/balance-sync/shared/upstream"
)

// One turn at an endpoint, from the choice to what the pool is told of it.
func ExamplePool() {
	budgets := &upstream.Budgets{} // one for all chains of the process
	p := upstream.New([]upstream.Member{
		{Name: "node-a", RPS: 50},
		{Name: "node-b", RPS: 15, Budget: "provider", Concurrency: 4},
		{Name: "node-c", RPS: 15, Budget: "provider", Concurrency: 4},
	}, upstream.Settings{BlockTime: 750 * time.Millisecond, Budgets: budgets})
	for _, e := range p.Endpoints() {
		e.Admit() // its chain id was checked
		e.Saw(41_000_000)
	}

	e, err := p.Pick(40_999_990)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Release()
	end, err := e.Begin(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	answer := "the query server is suspended for 30s" // of the node
	end()
	out := e.Limited(upstream.Fault{Code: "rate_limited", Text: answer}, upstream.PauseOf(answer))
	fmt.Println(e.Name(), "rests for", out.Round(time.Second))

	other, err := p.Pick(40_999_990, e) // the same rows, elsewhere
	if err != nil {
		fmt.Println(err)
		return
	}
	defer other.Release()
	other.Succeeded()
	other.Took(80 * time.Millisecond)
	fmt.Println(other.Name(), "answered;", p.Tip().Agree, "endpoints agree")
	// Output:
	// node-a rests for 30s
	// node-b answered; 3 endpoints agree
}

func ExamplePauseOf() {
	fmt.Println(upstream.PauseOf("The key exceeds the frequency limit(15), and the query server is suspended for 30s"))
	// Output: 30s
}
