package anvildev

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/wait"
)

// owner is set in the process that TestAnvilDiesWithItsOwner kills.
const owner = "ANVILDEV_TEST_OWNER"

func TestAnvilDiesWithItsOwner(t *testing.T) {
	if os.Getenv(owner) != "" {
		node, err := Start(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("anvil %d\n", node.process.cmd.Process.Pid)
		select {} // until it is killed
	}
	command := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
	command.Env = append(os.Environ(), owner+"=1")
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscanf(output, "anvil %d\n", &pid); err != nil {
		t.Fatal(err)
	}
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait() // it was killed
	wait.For(t, 20*time.Second, "anvil "+strconv.Itoa(pid)+" is gone", func() bool {
		state, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		return err != nil || strings.Contains(string(state), ") Z ") // nobody may be there to reap it
	})
}
