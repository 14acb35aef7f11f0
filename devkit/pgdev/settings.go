package pgdev

import (
	"maps"
	"slices"
	"strconv"
)

// arguments is the server's command line after its data directory. Of a setting given twice Postgres takes the last,
// so the caller's come last.
func arguments(opt Options, port int) []string {
	set := map[string]string{
		"shared_buffers":  "128MB",
		"max_connections": "200",
	}
	if !opt.Durable {
		// A crash of the machine costs a test nothing, and each of these is a wait for the disk.
		maps.Copy(set, map[string]string{
			"fsync":              "off",
			"synchronous_commit": "off",
			"full_page_writes":   "off",
			"checkpoint_timeout": "30min",
			"max_wal_size":       "2GB",
		})
	}
	maps.Copy(set, opt.Settings)
	// Loopback only and no socket file whatever the caller sets: authentication is trust.
	set["listen_addresses"] = "127.0.0.1"
	set["unix_socket_directories"] = ""
	set["port"] = strconv.Itoa(port)

	var args []string
	for _, name := range slices.Sorted(maps.Keys(set)) {
		args = append(args, "-c", name+"="+set[name])
	}
	return args
}
