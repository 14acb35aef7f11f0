; The balance scanner. Its input and output are in doc.go; the words with % differ from form to form, see program.go.
;
; Memory   0x00 selector of balanceOf(address)   0x04 wallet   0x40 the token's answer   %base header, then rows
; Stack    from the bottom: out   where the next row goes
;                           n     rows done
;                           end   where the group ends in the input
;                           token zero for the native coin
;                           in    where the next wallet is in the input

	0x70a08231 224 SHL 0 MSTORE
	%start                                  ; [out]
	0 0 0 8                                 ; [out n end token in], past the two gas figures

group:
	%size DUP2 LT ISZERO @done JUMPI        ; the input is used up
	SWAP2 POP POP                           ; [out n in]
	DUP1 %load 240 SHR                      ; [out n in count]
	20 MUL 22 ADD DUP2 ADD SWAP1            ; [out n end in]
	DUP1 2 ADD %load 96 SHR SWAP1           ; [out n end token in]
	22 ADD

row:
	DUP3 DUP2 LT ISZERO @group JUMPI        ; the group is used up
	4 %load 224 SHR GAS LT @done JUMPI      ; less gas than the floor: answer what there is
	DUP1 %load 96 SHR                       ; [.. in wallet]
	DUP3 @call JUMPI
	BALANCE @value JUMP                     ; a native balance: there is no way to fail

call:
	4 MSTORE
	GAS                                     ; [.. in before]
	32 0x40 36 0 DUP7 0 %load 224 SHR       ; at most 32 bytes of the answer are copied, whatever the token returns
	STATICCALL                              ; [.. in before ok]
	31 RETURNDATASIZE GT DUP2 AND
	@answered JUMPI

; no balance: one status byte, and never a value
	0x80 ADD                                ; bit 0: the call succeeded
	DUP4 EXTCODESIZE ISZERO 2 MUL ADD       ; bit 1: there is no code
	SWAP1 GAS SWAP1 SUB                     ; [.. in status used]
	0 %load 224 SHR SWAP1 LT ISZERO
	2 SHL ADD                               ; bit 2: all of the call's gas is gone
	DUP6 MSTORE8                            ; [.. in]
	20 ADD
	SWAP4 1 ADD SWAP4
	SWAP3 1 ADD SWAP3
	@row JUMP

answered:
	POP POP 0x40 MLOAD

value:                                          ; [out n end token in v]
	DUP1 ISZERO ISZERO 3 SHL
	DUP2 64 SHR ISZERO ISZERO 2 SHL ADD
	DUP2 96 SHR ISZERO ISZERO 20 MUL ADD    ; [.. in v length], one of 0, 8, 12, 32
	DUP1 DUP8 MSTORE8
	SWAP1 DUP2 3 SHL 256 SUB SHL            ; [.. in length v at the left edge]
	DUP7 1 ADD MSTORE                       ; what this writes past the value, the next row covers
	DUP6 ADD 1 ADD SWAP5 POP                ; [out n end token in]
	20 ADD
	SWAP3 1 ADD SWAP3
	@row JUMP

done:
	POP POP POP                             ; [out n]
	TIMESTAMP 32 SHL OR
	%height 96 SHL OR
	CHAINID 160 SHL OR
	1 248 SHL OR
	TIMESTAMP %height OR CHAINID OR         ; a number that does not fit its 64 bits spoils its neighbours:
	64 SHR ISZERO MUL                       ; then the word is 0, and no decoder takes that
	%base MSTORE
	%parent %base 32 ADD MSTORE
	%base SWAP1 SUB %base %finish
end=
