import type { MappedEntityName } from './records';
import type { Direction } from './schema';

/**
 * What the shipped connectors fill by themselves: the layer below every mapping set. It is shown beside the rules, so
 * that people see what they change; the connectors do the work.
 */

/** Field → where its value comes from, in words. */
type Filled = Record<string, string>;

export interface ConnectorDefaults {
  label: string;
  fields: Partial<Record<Direction, Partial<Record<MappedEntityName, Filled>>>>;
  /** Lookup tables that the connector asks, with what their keys are. */
  tables: Record<string, string>;
}

const SELLER: Filled = { legalEntityId: 'chosen by the readiness check' };

export const connectorDefaults: Record<string, ConnectorDefaults> = {
  salesforce: {
    label: 'Salesforce',
    fields: {
      read: {
        opportunity: {
          ...SELLER,
          customerId: 'AccountId',
          contractId: 'ContractId',
          name: 'Name',
          stage: 'IsWon, IsClosed',
          amount: 'Amount, CurrencyIsoCode',
          'amount.amount': 'Amount',
          'amount.currency': 'CurrencyIsoCode',
          expectedCloseDate: 'CloseDate',
          serviceLine: 'Q2C_Service_Line__c',
          engagementType: 'Type',
          region: 'Q2C_Region__c',
          ownerId: 'OwnerId',
        },
        customer: {
          ...SELLER,
          legalName: 'Name',
          number: 'Q2C_Customer_Number__c',
          billingAddress: 'Billing address',
          'billingAddress.lines': 'BillingStreet',
          'billingAddress.city': 'BillingCity',
          'billingAddress.region': 'BillingState',
          'billingAddress.postalCode': 'BillingPostalCode',
          'billingAddress.country': 'BillingCountry',
          country: 'BillingCountry',
          'taxProfile.registrationNumber': 'Q2C_Tax_Registration__c',
          'taxProfile.status': 'Q2C_Tax_Status__c',
          defaultCurrency: 'CurrencyIsoCode',
          paymentTerms: 'Q2C_Payment_Terms__c',
          website: 'Website',
          creditStatus: 'set by the readiness check',
          status: 'set by the readiness check',
        },
        contact: {
          ...SELLER,
          customerId: 'AccountId',
          name: 'Name',
          firstName: 'FirstName',
          lastName: 'LastName',
          email: 'Email',
          phone: 'Phone',
          title: 'Title',
          roles: 'Q2C_Role__c',
        },
        quote: {
          ...SELLER,
          opportunityId: 'the opportunity',
          lines: 'OpportunityLineItem',
          total: 'Amount, CurrencyIsoCode',
          'total.amount': 'Amount',
          'total.currency': 'CurrencyIsoCode',
          validUntil: 'set by the readiness check',
        },
        quoteLine: {
          lineNo: 'order of the products',
          description: 'Description, else Product2.Name',
          serviceCode: 'ProductCode',
          commercialModel: 'Q2C_Commercial_Model__c',
          quantity: 'Quantity',
          'quantity.value': 'Quantity',
          'quantity.unit': 'by the commercial model',
          unitPrice: 'UnitPrice',
          amount: 'TotalPrice',
          capAmount: 'Q2C_Cap_Amount__c',
          retainer: 'UnitPrice, Q2C_Included_Quantity__c, Q2C_Overage_Rate__c',
          markup: 'Q2C_Markup__c',
          schedule: 'OpportunityLineItemSchedule',
          taxCategory: 'Q2C_Tax_Category__c',
        },
        contract: {
          ...SELLER,
          customerId: 'AccountId',
          quoteId: 'the quote',
          number: 'ContractNumber',
          effective: 'StartDate, ContractTerm',
          'effective.from': 'StartDate',
          'effective.to': 'ContractTerm',
          currency: 'CurrencyIsoCode',
          totalValue: 'Q2C_Total_Value__c, CurrencyIsoCode',
          'totalValue.amount': 'Q2C_Total_Value__c',
          'totalValue.currency': 'CurrencyIsoCode',
          paymentTerms: 'Q2C_Payment_Terms__c',
          poNumber: 'Q2C_PO_Number__c',
          status: 'Status',
          title: 'set by the readiness check',
          contractType: 'set by the readiness check',
          revision: 'set by the readiness check',
        },
      },
    },
    tables: {},
  },
  netsuite: {
    label: 'NetSuite',
    fields: {
      write: {
        customer: {
          'extensions.netsuite.companyName': 'legalName',
          'extensions.netsuite.subsidiary': 'table subsidiary of the selling legal entity',
          'extensions.netsuite.currency': 'table currency of defaultCurrency',
          'extensions.netsuite.terms': 'table terms of paymentTerms',
          'extensions.netsuite.url': 'website',
          'extensions.netsuite.addressBook': 'billingAddress',
        },
        contact: {
          'extensions.netsuite.firstName': 'firstName',
          'extensions.netsuite.lastName': 'lastName',
          'extensions.netsuite.email': 'email',
          'extensions.netsuite.phone': 'phone',
          'extensions.netsuite.title': 'title',
          'extensions.netsuite.company': 'the customer',
          'extensions.netsuite.subsidiary': 'table subsidiary of the selling legal entity',
        },
        project: {
          'extensions.netsuite.entityId': 'code',
          'extensions.netsuite.companyName': 'name',
          'extensions.netsuite.parent': 'the customer',
          'extensions.netsuite.subsidiary': 'table subsidiary of the selling legal entity',
          'extensions.netsuite.currency': 'table currency of the contract',
          'extensions.netsuite.jobBillingType': 'table jobBillingType by the commercial models',
          'extensions.netsuite.projectExpenseType': 'table projectExpenseType',
          'extensions.netsuite.entityStatus': 'table jobStatus by status',
          'extensions.netsuite.startDate': 'period.from',
          'extensions.netsuite.projectedEndDate': 'period.to',
          'extensions.netsuite.jobPrice': 'sum of the agreed amounts',
        },
        task: {
          'extensions.netsuite.title': 'name',
          'extensions.netsuite.nonBillableTask': 'billable',
          'extensions.netsuite.estimatedWork': 'budgetHours',
          'extensions.netsuite.startDate': 'period.from',
          'extensions.netsuite.status': 'status',
        },
        contract: {
          'extensions.netsuite.terms': 'table terms of paymentTerms (sales order)',
          'extensions.netsuite.tranDate': 'effective.from (sales order)',
          'extensions.netsuite.startDate': 'effective.from (sales order)',
          'extensions.netsuite.endDate': 'effective.to (sales order)',
          'extensions.netsuite.otherRefNum': 'poNumber (sales order)',
          'extensions.netsuite.memo': 'number, title (sales order)',
        },
      },
    },
    tables: {
      subsidiary: 'legal entity',
      currency: 'currency code',
      terms: 'payment terms',
      department: 'service line',
      item: 'service line:fixed or service line:time',
      jobBillingType: 'way of billing',
      projectExpenseType: 'regular',
      jobStatus: 'pending, in_progress or closed',
      chargeType: 'milestone',
    },
  },
  kantata: {
    label: 'Kantata',
    fields: {
      write: {
        project: {
          'extensions.kantata.title': 'name',
          'extensions.kantata.description': 'code, contract, purchase order, value',
          'extensions.kantata.currency': 'currency of the contract',
          'extensions.kantata.start_date': 'period.from',
          'extensions.kantata.due_date': 'period.to',
          'extensions.kantata.rate_card_id': 'table rateCard of legal entity:currency',
          'extensions.kantata.price': 'value of the contract',
          'extensions.kantata.project_tracker_template_id': 'table projectTemplate of the service line',
        },
        task: {
          'extensions.kantata.title': 'name',
          'extensions.kantata.start_date': 'period.from',
          'extensions.kantata.due_date': 'period.to',
        },
      },
    },
    tables: {
      projectTemplate: 'service line',
      role: 'role',
      rateCard: 'legal entity:currency',
    },
  },
};
