package writer

import (
	"github.com/balance-sync/balance-sync/shared/amount"
	"github.com/balance-sync/balance-sync/shared/wire"
)

// assets are those of one chain that are as the database has them now.
type assets map[wire.Asset]bool

// asset gives the asset as the wire has it. What contract a native asset has in the database means nothing: none is asked for its balance.
func asset(a wire.Asset) wire.Asset {
	a.Contract = wire.CleanText(a.Contract)
	if a.Native {
		a.Contract = ""
	}
	return a
}

// maxEpoch is far above what operators and changes of a row can raise an epoch to, one at a time, and leaves room to raise it: a row at the
// end of the integers could be given no other wallet any more.
const maxEpoch = 1 << 30

// accept gives the row as it may be written, with the human amount of a value. What a result says is not trusted: what does not
// hold becomes an error of the row, so that the lease is freed all the same, and refused is its code.
func accept(r Row, now assets) (row Row, human, refused string) {
	if !now[asset(r.Asset)] {
		// The amount may be of another token, or its decimals wrong. The next claim asks for the asset as it is now.
		return refuse(r, EndpointFault, wire.CodeAssetChanged, "contract or decimals are not those of the claim any more")
	}
	if r.Kind != Value && r.Kind != Warned {
		return r, "", ""
	}
	if amount.Check(r.Raw) != nil {
		return refuse(r, EndpointFault, wire.CodeMalformedResult, "a balance that is not a uint256")
	}
	if r.Epoch < 0 || r.Epoch > maxEpoch {
		return refuse(r, EndpointFault, wire.CodeMalformedResult, "an epoch that no row comes to")
	}
	if r.Height <= 0 {
		return refuse(r, EndpointFault, wire.CodeMalformedResult, "a balance without a height")
	}
	if r.Kind == Warned {
		return r, "", ""
	}
	human, err := amount.Human(r.Raw, r.Asset.Decimals)
	if err != nil {
		return refuse(r, RowFault, wire.CodeBadDecimals, err.Error())
	}
	return r, human, ""
}

func refuse(r Row, kind Kind, code, message string) (Row, string, string) {
	return r.fail(kind, code, message), "", code
}
