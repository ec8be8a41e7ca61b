// Renders the templates of a chart as Helm does: Go's text/template with the functions of sprig and Helm's own. Helm itself
// is in neither Debian nor the npm registry. Reads {"templates": {name: text}, "context": {...}} and writes {name: text}.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"gopkg.in/yaml.v3"
)

type input struct {
	Templates map[string]string
	Context   map[string]interface{}
}

func main() {
	var given input
	check(json.NewDecoder(os.Stdin).Decode(&given))
	root := template.New("chart").Option("missingkey=zero")
	root.Funcs(sprig.TxtFuncMap()).Funcs(helmFunctions(root))
	for name, text := range given.Templates {
		_, err := root.New(name).Parse(text)
		check(err)
	}
	rendered := map[string]string{}
	for name := range given.Templates {
		if strings.HasPrefix(name, "_") {
			continue
		}
		text, err := render(root, name, given.Context)
		check(err)
		rendered[name] = text
	}
	check(json.NewEncoder(os.Stdout).Encode(rendered))
}

func helmFunctions(root *template.Template) template.FuncMap {
	return template.FuncMap{
		"include": func(name string, data interface{}) (string, error) { return render(root, name, data) },
		"required": func(message string, value interface{}) (interface{}, error) {
			if value == nil || value == "" {
				return nil, errors.New(message)
			}
			return value, nil
		},
		"toYaml": func(value interface{}) (string, error) {
			var out bytes.Buffer
			encoder := yaml.NewEncoder(&out)
			encoder.SetIndent(2)
			err := encoder.Encode(value)
			return strings.TrimSuffix(out.String(), "\n"), err
		},
	}
}

func render(root *template.Template, name string, data interface{}) (string, error) {
	var out bytes.Buffer
	err := root.ExecuteTemplate(&out, name, data)
	// As Helm: what a value does not have is empty.
	return strings.ReplaceAll(out.String(), "<no value>", ""), err
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
