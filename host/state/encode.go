package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/berth-hpc/berth/sdk"
)

// maxRecord bounds a record's size in bytes.
const maxRecord = 64 << 10

// A record file is one line of JSON and one line with the checksum of the first: a flipped bit in a
// pid must not look like a process that has ended.
const sumFormat = "crc32 %08x\n"

func encode(rec Record) ([]byte, error) {
	if err := rec.validate(); err != nil {
		return nil, sdk.Mark(err, sdk.ErrInvalid)
	}
	line, err := json.Marshal(rec)
	if err != nil {
		return nil, sdk.Mark(err, sdk.ErrInvalid)
	}
	line = append(line, '\n')
	data := fmt.Appendf(line, sumFormat, crc32.ChecksumIEEE(line))
	if len(data) > maxRecord {
		return nil, sdk.Mark(fmt.Errorf("%d bytes, at most %d are allowed", len(data), maxRecord), sdk.ErrInvalid)
	}
	return data, nil
}

func decode(data []byte) (Record, error) {
	end := bytes.IndexByte(data, '\n') + 1
	line, sum := data[:end], data[end:]
	if !bytes.Equal(sum, fmt.Appendf(nil, sumFormat, crc32.ChecksumIEEE(line))) {
		return Record{}, errors.New("wrong checksum")
	}
	var version struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(line, &version); err != nil {
		return Record{}, err
	}
	if version.Version != Version {
		return Record{}, fmt.Errorf("its format has version %d, this berth reads version %d", version.Version, Version)
	}
	var rec Record
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&rec); err != nil {
		return Record{}, err
	}
	if err := rec.validate(); err != nil {
		return Record{}, err
	}
	return rec, nil
}
