package trondev

import (
	"context"
	"encoding/hex"
	"strconv"

	"github.com/fbsobreira/gotron-sdk/pkg/proto/api"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/core"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// wallet is protocol.Wallet: the head view, with the mempool.
type wallet struct {
	api.UnimplementedWalletServer
	node *Node
}

// solidity is protocol.WalletSolidity: the solid view.
type solidity struct {
	api.UnimplementedWalletSolidityServer
	node *Node
}

// database is protocol.Database, which shows the view of the port that it is asked on.
type database struct {
	api.UnimplementedDatabaseServer
	view func() view
}

// headView is the newest block and the mempool on top.
func (n *Node) headView() view { return n.view(0, true) }

// solidView is the newest solid block.
func (n *Node) solidView() view { return n.view(n.cfg.SolidLag, false) }

func (n *Node) view(lag int64, mempool bool) view {
	n.ledger.mu.RLock()
	defer n.ledger.mu.RUnlock()
	behind := n.behind.Load()
	at := func(height int64) block { b, _ := n.ledger.block(max(height, n.ledger.first)); return b }
	b := at(n.ledger.head().height - behind - lag)
	return view{ledger: n.ledger, block: b, ref: at(b.height - n.cfg.SolidLag), mempool: mempool && behind == 0}
}

// getAccount gives an account, and a message of no bytes for every address that names none.
func getAccount(v view, in *core.Account) *core.Account {
	at, ok := account(in.Address)
	if !ok {
		return &core.Account{}
	}
	balance, known := v.look(coins(at))
	_, contract := v.contract(at)
	switch {
	case contract:
		return &core.Account{Address: in.Address, Balance: int64(balance.Uint64()), Type: core.AccountType_Contract}
	case known:
		return &core.Account{Address: in.Address, Balance: int64(balance.Uint64())}
	}
	return &core.Account{}
}

// getBlock gives a header by height or id, the newest for an empty request, and a message of no bytes for one that is not there.
func (n *Node) getBlock(v view, in *api.BlockReq) (*api.BlockExtention, error) {
	if in.Detail {
		return nil, status.Error(codes.Unimplemented, "this stand-in keeps no transactions: ask with detail false")
	}
	if in.IdOrNum == "" {
		return v.block.message(), nil
	}
	height, err := strconv.ParseInt(in.IdOrNum, 10, 64)
	id, bad := hex.DecodeString(in.IdOrNum)
	switch {
	case bad == nil && len(id) == 32:
		height = 0
		for _, b := range id[:8] {
			height = height<<8 | int64(b)
		}
	case err != nil || height < 0:
		return nil, status.Error(codes.InvalidArgument, "num: "+in.IdOrNum+" is not a number, and not an id")
	}
	if height == 0 {
		return n.genesis.message(), nil
	}
	v.ledger.mu.RLock()
	defer v.ledger.mu.RUnlock()
	b, ok := v.ledger.block(height)
	if !ok || height > v.block.height || bad == nil && len(id) == 32 && [32]byte(id) != b.id {
		return &api.BlockExtention{}, nil
	}
	return b.message(), nil
}

func (w *wallet) GetAccount(_ context.Context, in *core.Account) (*core.Account, error) {
	return getAccount(w.node.headView(), in), nil
}

func (w *wallet) TriggerConstantContract(_ context.Context, in *core.TriggerSmartContract) (*api.TransactionExtention, error) {
	return w.node.machine.trigger(w.node.headView(), in)
}

func (w *wallet) GetBlock(_ context.Context, in *api.BlockReq) (*api.BlockExtention, error) {
	return w.node.getBlock(w.node.headView(), in)
}

func (w *wallet) GetNowBlock2(context.Context, *api.EmptyMessage) (*api.BlockExtention, error) {
	return w.node.headView().block.message(), nil
}

func (s *solidity) GetAccount(_ context.Context, in *core.Account) (*core.Account, error) {
	return getAccount(s.node.solidView(), in), nil
}

func (s *solidity) TriggerConstantContract(_ context.Context, in *core.TriggerSmartContract) (*api.TransactionExtention, error) {
	return s.node.machine.trigger(s.node.solidView(), in)
}

func (s *solidity) GetBlock(_ context.Context, in *api.BlockReq) (*api.BlockExtention, error) {
	return s.node.getBlock(s.node.solidView(), in)
}

func (s *solidity) GetNowBlock2(context.Context, *api.EmptyMessage) (*api.BlockExtention, error) {
	return s.node.solidView().block.message(), nil
}

func (d *database) GetBlockReference(context.Context, *api.EmptyMessage) (*api.BlockReference, error) {
	b := d.view().block
	return &api.BlockReference{BlockNum: b.height, BlockHash: b.id[:]}, nil
}

func (d *database) GetDynamicProperties(context.Context, *api.EmptyMessage) (*core.DynamicProperties, error) {
	return &core.DynamicProperties{LastSolidityBlockNum: d.view().ref.height}, nil
}
