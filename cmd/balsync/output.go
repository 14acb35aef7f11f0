package main

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"text/tabwriter"
)

// shower prints the rows of a command: a slice of structs whose fields are the columns, in order.
type shower func(columns []string, rows any) error

// print writes rows as a table with the given headings, or as a JSON array of the structs. The JSON is the stable form.
func print(out io.Writer, format string, columns []string, rows any) error {
	if format == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(rows)
	}
	var lines strings.Builder
	table := tabwriter.NewWriter(&lines, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, strings.Join(columns, "\t"))
	list := reflect.ValueOf(rows)
	for i := range list.Len() {
		row := list.Index(i)
		cells := make([]string, row.NumField())
		for j := range cells {
			cells[j] = fmt.Sprint(row.Field(j).Interface())
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	// An empty cell at a line's end must stand in the table, or the columns begin anew below it; its blanks need not be printed.
	for line := range strings.Lines(lines.String()) {
		if _, err := fmt.Fprintln(out, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}
