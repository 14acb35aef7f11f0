package natsdev

import (
	"fmt"

	"github.com/nats-io/nats-server/v2/server"
)

// options are made anew for each start: a server writes into what it is given.
func (s *Server) options() (*server.Options, error) {
	opts := &server.Options{}
	if s.opt.ConfigFile != "" {
		var err error
		if opts, err = server.ProcessConfigFile(s.opt.ConfigFile); err != nil {
			return nil, fmt.Errorf("read configuration: %w", err)
		}
		solitary(opts)
	}
	opts.Host = "127.0.0.1"
	opts.Port = s.opt.Port
	if opts.Port == 0 {
		opts.Port = server.RANDOM_PORT
	}
	opts.NoSigs = true // signals belong to the process that embeds the server
	opts.JetStream = true
	opts.StoreDir = s.dir
	if s.opt.SyncAlways {
		opts.SyncAlways = true
	}
	if s.opt.MaxStore != 0 {
		opts.JetStreamMaxStore = s.opt.MaxStore
	}
	return opts, nil
}

// solitary takes from a production configuration what binds it to its machine and its cluster: fixed ports that a
// second server here could not open, peers that it would wait for, and files outside its directory.
func solitary(opts *server.Options) {
	opts.HTTPPort, opts.HTTPSPort, opts.ProfPort = 0, 0, 0
	opts.Cluster = server.ClusterOpts{}
	opts.Gateway = server.GatewayOpts{}
	opts.LeafNode = server.LeafNodeOpts{}
	opts.Websocket = server.WebsocketOpts{}
	opts.MQTT = server.MQTTOpts{}
	opts.Routes = nil
	opts.ClientAdvertise = ""
	opts.PidFile, opts.PortsFileDir, opts.LogFile = "", "", ""
}
